/** Debian's docker-registry, on a free loopback port of this host. */
import { rm } from "node:fs/promises";
import { stringify } from "yaml";

/** Registry that runs until it is disposed. */
export interface RegistryServer extends AsyncDisposable {
  /** Host and port, the prefix of its images' names, such as `127.0.0.1:40263`. */
  readonly host: string;
}

/** Starts an empty registry that stores its blobs in a folder; `auth` is that section of its configuration. */
export async function startRegistry(folder: string, auth?: object): Promise<RegistryServer> {
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: `${folder}/blobs` } },
    http: { addr: "127.0.0.1:0" },
    ...(auth && { auth }),
  };
  await Bun.write(`${folder}/config.yml`, stringify(config));
  const server = Bun.spawn(["docker-registry", "serve", `${folder}/config.yml`], {
    stdout: "ignore",
    stderr: "pipe",
  });
  const listening = Promise.withResolvers<string>();
  void follow(server.stderr, listening);
  return {
    host: await listening.promise,
    async [Symbol.asyncDispose]() {
      server.kill();
      await server.exited;
      await rm(`${folder}/blobs`, { recursive: true, force: true });
    },
  };
}

// Reads to the end: a full pipe would block the registry.
async function follow(log: ReadableStream, { resolve, reject }: PromiseWithResolvers<string>): Promise<void> {
  let text = "";
  for await (const chunk of log) {
    text += Buffer.from(chunk).toString();
    const host = /listening on ([\d.]+:\d+)/.exec(text)?.[1];
    if (host !== undefined) resolve(host);
  }
  reject(new Error(`docker-registry ended: ${text}`));
}
