import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { send } from "../../manifests/sync/http.ts";
import { makeCertificates } from "../node/https-server.ts";

const folder = await mkdtemp(`${tmpdir()}/wasp-http-`);
beforeAll(() => makeCertificates(folder, "registry", "DNS:localhost"));
afterAll(() => rm(folder, { recursive: true }));

const ask = (url: string) => send({ method: "GET", url });
const serve = (tls?: object) =>
  Bun.serve({ hostname: "127.0.0.1", port: 0, ...(tls && { tls }), fetch: () => new Response("") });

test("refuses a registry without a trusted certificate, and reports the remedy", async () => {
  const [cert, key] = [Bun.file(`${folder}/registry.pem`), Bun.file(`${folder}/registry.key`)];
  const server = serve({ cert, key });
  await expect(ask(`https://localhost:${server.port}/v2/`)).rejects.toThrow(
    /^https:\/\/localhost:\d+ cannot be reached: .* \(NODE_EXTRA_CA_CERTS=FILE names a certification authority/,
  );
  await server.stop(true);
});

test("reports the remedy for a registry without TLS", async () => {
  const server = serve();
  await expect(ask(`https://localhost:${server.port}/v2/`)).rejects.toThrow(
    / cannot be reached: .* \(--plain-http is for a registry without TLS\)$/,
  );
  await server.stop(true);
});

test("names a host that does not exist", async () => {
  await expect(ask("https://registry.invalid/v2/")).rejects.toThrow(
    "https://registry.invalid cannot be reached: ",
  );
});
