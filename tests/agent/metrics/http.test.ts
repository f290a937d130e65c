import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { $ } from "bun";
import { type HttpEndpoint, type HttpOptions, serveHttp } from "../../../src/agent/metrics/http.ts";
import { AgentMetrics } from "../../../src/agent/metrics/metrics.ts";
import { parseExposition } from "./exposition.ts";
import { shownAgent } from "./shown.ts";

let view = shownAgent();
let endpoint: HttpEndpoint | undefined;

beforeEach(() => {
  view = shownAgent();
});

afterEach(async () => {
  await endpoint?.stop();
  endpoint = undefined;
});

function optionsOf(differences: Partial<HttpOptions> = {}): HttpOptions {
  const metrics = new AgentMetrics({ version: "1", commit: "2" });
  return { address: "127.0.0.1", port: 0, tls: undefined, view, metrics, ...differences };
}

function start(differences: Partial<HttpOptions> = {}): HttpEndpoint {
  endpoint = serveHttp(optionsOf(differences));
  return endpoint;
}

async function get(path: string, request: RequestInit = {}) {
  const port = (endpoint ?? start()).port;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...request, keepalive: false });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("over HTTP", () => {
  test("metrics are served as Prometheus takes them", async () => {
    const { status, headers, text } = await get("/metrics?x=1");
    expect([status, headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    expect(parseExposition(text).has("wasp_build_info")).toBe(true);
    expect(headers.has("server")).toBe(false);
  });

  test.each<[path: string, state: Parameters<typeof shownAgent>[0], status: number, text: string]>([
    ["/healthz", {}, 200, "ok\n"],
    ["/healthz", { isReady: false }, 200, "ok\n"],
    ["/healthz", { isAlive: false }, 503, "not alive: the agent's loop has stopped\n"],
    ["/readyz", {}, 200, "ok\n"],
    ["/readyz", { isReady: false }, 503, "not ready: the first full pass is not complete\n"],
    ["/readyz", { isStoodDown: true }, 200, "ok\n"],
    [
      "/readyz",
      { blindness: { unseen: 3, running: 4 } },
      503,
      "not ready: 3 of 4 running containers are in no cgroup that wasp can find\n",
    ],
    ["/healthz", { blindness: { unseen: 3, running: 4 } }, 200, "ok\n"],
  ])("%s with %j", async (path, state, status, text) => {
    start();
    Object.assign(view, state);
    expect(await get(path)).toMatchObject({ status, text });
  });

  test.each(["/", "/metrics/", "/healthz/../etc", "/constructor"])("%s is not there", async (path) => {
    expect(await get(path)).toMatchObject({
      status: 404,
      text: "not found: the paths are /metrics, /healthz, /readyz\n",
    });
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is refused", async (method) => {
    const body = method === "OPTIONS" ? {} : { body: "x".repeat(100_000) };
    const { status, headers, text } = await get("/metrics", { method, ...body });
    expect([status, headers.get("allow"), text]).toEqual([
      405,
      "GET, HEAD",
      `method ${method} is not allowed: use GET or HEAD\n`,
    ]);
  });

  test.each([
    ["/metrics", 200],
    ["/readyz", 200],
    ["/", 404],
  ] as const)("HEAD %s has no body", async (path, status) => {
    expect(await get(path, { method: "HEAD" })).toMatchObject({ status, text: "" });
  });

  test("a Host that makes no sense does no harm", async () => {
    const { port } = start();
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      connect(port, "127.0.0.1")
        .on("data", (chunk) => {
          text += chunk;
        })
        .on("close", () => resolve(text))
        .end('GET /healthz HTTP/1.1\r\nHost: "<>\r\nConnection: close\r\n\r\n');
    });
    expect(answer).toStartWith("HTTP/1.1 200 OK");
  });

  test("a failure of the agent's is an answer, not an end", async () => {
    view.containers = () => {
      throw new Error("no containers");
    };
    expect(await get("/metrics")).toMatchObject({ status: 500, text: "no containers\n" });
    expect(await get("/healthz")).toMatchObject({ status: 200 });
  });

  test("a stopped endpoint answers no more, and its port is free", async () => {
    const { port } = start();
    await endpoint?.stop();
    await expect(get("/healthz")).rejects.toThrow();
    expect(start({ port }).port).toBe(port);
  });

  test("a port in use is named with its flag", () => {
    const { port } = start();
    expect(() => serveHttp(optionsOf({ port }))).toThrow(
      `--http-port: ${port} is in use on 127.0.0.1: give a free port, or 0 for any`,
    );
  });

  test.each(["192.0.2.1", "nowhere.invalid"])("%s is named with its flag", (address) => {
    expect(() => serveHttp(optionsOf({ address }))).toThrow(
      `--http-address: ${address} is not an address of this host: give one of its addresses, or :: for all`,
    );
  });
});

describe("over TLS", () => {
  let made = "";
  let folder = "";
  const files = () => ({ certificateFile: `${folder}/tls.crt`, keyFile: `${folder}/tls.key` });
  const use = (name: string) => {
    copyFileSync(`${made}/${name}.crt`, `${folder}/tls.crt`);
    copyFileSync(`${made}/${name}.key`, `${folder}/tls.key`);
  };

  beforeAll(async () => {
    made = mkdtempSync(`${tmpdir()}/wasp-tls-`);
    for (const name of ["old", "new"])
      await $`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name} -addext subjectAltName=IP:127.0.0.1 -keyout ${name}.key -out ${name}.crt`
        .cwd(made)
        .quiet();
  });
  afterAll(() => rmSync(made, { recursive: true }));

  beforeEach(() => {
    folder = mkdtempSync(`${tmpdir()}/wasp-tls-`);
    use("old");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function getTrusting(name: string): Promise<string> {
    const ca = readFileSync(`${made}/${name}.crt`, "utf8");
    const tls = { ca, rejectUnauthorized: true };
    const response = await fetch(`https://127.0.0.1:${endpoint?.port}/healthz`, { tls, keepalive: false });
    return response.text();
  }

  test("a client that trusts the certificate gets its answer, another none", async () => {
    start({ tls: files() });
    expect(await getTrusting("old")).toBe("ok\n");
    await expect(getTrusting("new")).rejects.toThrow();
  });

  test("a new certificate is served after a reload, at the same port", async () => {
    const { port, reloadCertificate } = start({ tls: files() });
    use("new");
    expect(await getTrusting("old")).toBe("ok\n");
    reloadCertificate();
    expect(await getTrusting("new")).toBe("ok\n");
    await expect(getTrusting("old")).rejects.toThrow();
    reloadCertificate();
    expect(await getTrusting("new")).toBe("ok\n");
    expect(endpoint?.port).toBe(port);
    expect(() => serveHttp(optionsOf({ port }))).toThrow("is in use");
  });

  const [certificate, key] = [() => `${folder}/tls.crt`, () => `${folder}/tls.key`];
  const noCertificate = "--http-certificate-file: FILE does not hold a certificate in PEM";
  const noKey = "--http-key-file: FILE does not hold a private key in PEM, without a passphrase";
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  test.each<[string, file: () => string, spoil: (file: string) => void, complaint: string]>([
    [
      "a missing certificate",
      certificate,
      rmSync,
      "--http-certificate-file: cannot be read: open FILE: No such",
    ],
    ["a missing key", key, rmSync, "--http-key-file: cannot be read: open FILE: No such"],
    ["no certificate", certificate, (file) => writeFileSync(file, "x"), noCertificate],
    ["an empty certificate", certificate, (file) => writeFileSync(file, ""), noCertificate],
    ["a key for a certificate", certificate, (file) => copyFileSync(key(), file), noCertificate],
    [
      "a broken chain",
      certificate,
      (file) => appendFileSync(file, broken),
      "--http-certificate-file: FILE holds something other than valid certificates in PEM",
    ],
    ["no key", key, (file) => writeFileSync(file, "x"), noKey],
    [
      "another's key",
      key,
      (file) => copyFileSync(`${made}/new.key`, file),
      "--http-key-file: FILE is not the key of the certificate in",
    ],
  ])("%s is refused, at the start and at a reload", async (_, fileOf, spoil, complaint) => {
    const { reloadCertificate } = start({ tls: files() });
    const file = fileOf();
    spoil(file);
    const expected = complaint.replace("FILE", file);
    expect(() => serveHttp(optionsOf({ tls: files() }))).toThrow(expected);
    expect(reloadCertificate).toThrow(expected);
    expect(await getTrusting("old")).toBe("ok\n");
  });
});
