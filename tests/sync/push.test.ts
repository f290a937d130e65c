import { afterAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { readImage } from "../../manifests/sync/image.ts";
import { push } from "../../manifests/sync/push.ts";
import { Repository } from "../../manifests/sync/registry.ts";
import { type RegistryServer, startRegistry } from "./registry-server.ts";
import { writeSmallImage } from "./small-image.ts";
import { startTokenServer, type TokenServer, USER } from "./token-server.ts";

const folder = await mkdtemp(`${tmpdir()}/wasp-push-`);
const newFolder = async (): Promise<string> => mkdtemp(`${folder}/`);
afterAll(() => rm(folder, { recursive: true }));

const archives = [await writeSmallImage(folder, "amd64"), await writeSmallImage(folder, "arm64")];
const image = await readImage(archives, await newFolder());
const nobody = { REGISTRY_AUTH_FILE: `${folder}/nobody.json`, PATH: process.env["PATH"] };

/** Pushes the image, and returns what was told. */
async function pushTo(registry: string, env: Record<string, string | undefined> = nobody): Promise<string[]> {
  const told: string[] = [];
  const name = { registry, repository: "you/wasp", tag: "v1" };
  await push(image, new Repository(name, false, env), name.tag, (line) => told.push(line));
  return told;
}

async function pull(
  { host }: RegistryServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await fetch(`http://${host}/v2/you/wasp/${path}`, { headers });
  expect(answer.status).toBe(200);
  return answer.text();
}

describe("a push", () => {
  test("brings every byte there, each found by its digest, and the image by its tag", async () => {
    await using registry = await startRegistry(await newFolder());
    const told = await pushTo(registry.host);
    const { blobs, manifests, index } = image;
    expect(blobs).toHaveLength(4);
    for (const { digest, file } of blobs)
      expect(await pull(registry, `blobs/${digest}`)).toBe(await Bun.file(file).text());
    for (const { digest, file, mediaType } of [...manifests, index])
      expect(await pull(registry, `manifests/${digest}`, { Accept: mediaType })).toBe(
        await Bun.file(file).text(),
      );
    const named = JSON.parse(await pull(registry, "manifests/v1", { Accept: index.mediaType }));
    expect(named.manifests).toEqual(
      manifests.map(({ digest, sizeBytes, mediaType }, position) => ({
        ...{ mediaType, digest, size: sizeBytes },
        platform: { architecture: ["amd64", "arm64"][position], os: "linux" },
      })),
    );
    expect(told).toEqual([
      ...blobs.map(({ digest }) =>
        expect.stringMatching(new RegExp(`${digest.slice(0, 19)}, .*: uploaded in`)),
      ),
      ...manifests.map(({ digest }) =>
        expect.stringMatching(new RegExp(`${digest.slice(0, 19)}, .* bytes: written$`)),
      ),
      expect.stringMatching(new RegExp(`^index ${index.digest.slice(0, 19)}, .* bytes, tagged v1: written$`)),
    ]);
  });

  test("uploads nothing a second time, and says so", async () => {
    await using registry = await startRegistry(await newFolder());
    await pushTo(registry.host);
    const told = await pushTo(registry.host);
    expect(told).toHaveLength(7);
    for (const line of told) expect(line).toEndWith(": exists already");
  });

  test("goes on where one before it was cut off, which had left no tag", async () => {
    await using registry = await startRegistry(await newFolder());
    await using cutting = gatewayTo(registry, (request) =>
      request.method === "PUT" && request.url.includes("/manifests/")
        ? new Response("", { status: 503 })
        : undefined,
    );
    await expect(pushTo(cutting.host)).rejects.toThrow(/^PUT http:.*\/manifests\/sha256:\w+: 503/);
    const tags = await fetch(`http://${registry.host}/v2/you/wasp/tags/list`);
    expect(await tags.text()).not.toContain("v1");
    const told = await pushTo(registry.host);
    expect(told.map((line) => line.slice(line.lastIndexOf(": ")))).toEqual([
      ...image.blobs.map(() => ": exists already"),
      ...[": written", ": written", ": written"],
    ]);
  });

  test("says which tag is refused, and why", async () => {
    await using registry = await startRegistry(await newFolder());
    const why = "tag v1 cannot be overwritten because the repository is immutable";
    await using strict = gatewayTo(registry, (request) =>
      request.method === "PUT" && request.url.endsWith("/manifests/v1")
        ? Response.json({ errors: [{ code: "TAG_INVALID", message: why }] }, { status: 400 })
        : undefined,
    );
    await expect(pushTo(strict.host)).rejects.toThrow(
      `PUT http://${strict.host}/v2/you/wasp/manifests/v1: 400 Bad Request: TAG_INVALID: ${why}`,
    );
  });

  test("says which registry cannot be reached", async () => {
    await expect(pushTo("127.0.0.1:1")).rejects.toThrow(/^http:\/\/127\.0\.0\.1:1 cannot be reached: ./);
  });
});

test("a registry's password goes to the registry alone, wherever it wants a blob uploaded", async () => {
  const seen: (string | null)[] = [];
  await using storage = serve((request) => {
    seen.push(request.headers.get("authorization"));
    return new Response("", { status: 201 });
  });
  const authorization = `Basic ${btoa("you:secret")}`;
  await using registry = serve(({ method, headers, url }) => {
    if (headers.get("authorization") !== authorization)
      return new Response("", { status: 401, headers: { "www-authenticate": 'Basic realm="a registry"' } });
    if (method === "POST")
      return new Response("", { status: 202, headers: { location: `http://${storage.host}/up` } });
    return new Response("", { status: url.includes("/manifests/") && method === "PUT" ? 201 : 404 });
  });
  const env = { REGISTRY_AUTH_FILE: `${await newFolder()}/auth.json` };
  await Bun.write(
    env.REGISTRY_AUTH_FILE,
    JSON.stringify({ auths: { [registry.host]: { auth: btoa("you:secret") } } }),
  );
  expect(await pushTo(registry.host, env)).toHaveLength(7);
  expect(seen).toEqual([null, null, null, null]);
});

/** Something between a client and a registry, which may answer in its place. */
function gatewayTo(registry: RegistryServer, answer: (request: Request) => Response | undefined): Server {
  return serve(async (request) => {
    const own = answer(request);
    if (own !== undefined) return own;
    const url = new URL(request.url);
    const { method, headers } = request;
    url.host = registry.host;
    return fetch(url, { method, headers, ...(method === "PUT" && { body: await request.bytes() }) });
  });
}

interface Server extends AsyncDisposable {
  readonly host: string;
}

function serve(fetch: (request: Request) => Response | Promise<Response>): Server {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
  return { host: `127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) };
}

describe("a registry that wants to know who pushes", () => {
  const loggedIn = async (host: string, entry: object) => {
    const file = `${await newFolder()}/auth.json`;
    await Bun.write(file, JSON.stringify({ auths: { [host]: entry } }));
    return { ...nobody, REGISTRY_AUTH_FILE: file };
  };
  const passwordOf = (name: string, password: string) => ({ auth: btoa(`${name}:${password}`) });

  async function startPasswords(own: string): Promise<TokenServer> {
    const hash = await Bun.password.hash(USER.password, { algorithm: "bcrypt", cost: 4 });
    await Bun.write(`${own}/htpasswd`, `${USER.name}:${hash}\n`);
    const auth = { htpasswd: { realm: "a registry", path: `${own}/htpasswd` } };
    return { auth, async [Symbol.asyncDispose]() {} };
  }

  describe.each([
    { by: "a password", prepare: startPasswords },
    { by: "a token", prepare: startTokenServer },
  ])("by $by", ({ prepare }) => {
    test("is told, and refuses others by name", async () => {
      const own = await newFolder();
      await using doorman = await prepare(own);
      await using registry = await startRegistry(own, doorman.auth);
      const env = await loggedIn(registry.host, passwordOf(USER.name, USER.password));
      expect(await pushTo(registry.host, env)).toHaveLength(7);

      const wrong = await loggedIn(registry.host, passwordOf(USER.name, "wrong"));
      await expect(pushTo(registry.host, wrong)).rejects.toThrow(
        `${registry.host} does not allow user "you" of ${wrong.REGISTRY_AUTH_FILE} to push you/wasp: `,
      );
      await expect(pushTo(registry.host)).rejects.toThrow(
        `${registry.host} requires credentials to push you/wasp, and there are none in ${nobody.REGISTRY_AUTH_FILE}: ` +
          `run podman login ${registry.host} or docker login ${registry.host} (`,
      );
    });
  });

  test("takes an identity token, and what a program of docker's keeps", async () => {
    const own = await newFolder();
    await using tokens = await startTokenServer(own);
    await using registry = await startRegistry(own, tokens.auth);
    const env = await loggedIn(registry.host, { identitytoken: USER.identityToken });
    expect(await pushTo(registry.host, env)).toHaveLength(7);

    await mkdir(`${own}/bin`);
    const answer = JSON.stringify({ ServerURL: registry.host, Username: USER.name, Secret: USER.password });
    const script = `#!/bin/sh\n[ "$1 $(cat)" = 'get ${registry.host}' ] && echo '${answer}'\n`;
    await Bun.write(`${own}/bin/docker-credential-safe`, script);
    await chmod(`${own}/bin/docker-credential-safe`, 0o755);
    const file = `${own}/config.json`;
    await Bun.write(file, JSON.stringify({ credHelpers: { [registry.host]: "safe" } }));
    const withHelper = { REGISTRY_AUTH_FILE: file, PATH: `${own}/bin:${process.env["PATH"]}` };
    expect(await pushTo(registry.host, withHelper)).toHaveLength(7);
  });
});
