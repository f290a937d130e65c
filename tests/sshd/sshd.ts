import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $, type Subprocess } from "bun";

/** The addresses that the server listens on: for a client each is another host. */
export type Address = "127.0.0.1" | "127.0.0.2" | "127.0.0.3" | "127.0.0.4";

/** The host's own sshd on loopback, with keys, configuration and port of its own, and a client that knows it. */
export class Sshd implements AsyncDisposable {
  readonly folder: string;
  readonly #port: number;
  #server: Subprocess<"ignore", "ignore", "pipe"> | undefined;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.#port = port;
  }

  /** Starts the server; the client knows its key at the first two addresses, another at the third, none at the fourth. */
  static async start(): Promise<Sshd> {
    const sshd = new Sshd(await mkdtemp(join(tmpdir(), "wasp-sshd-")), freePort());
    await sshd.#makeKeys();
    await sshd.#writeClient();
    await sshd.#serve();
    return sshd;
  }

  /** The client, with its configuration. */
  get ssh(): string {
    return join(this.folder, "ssh");
  }

  /** Returns this sshd as a destination of the client. */
  host(address: Address, user = "root"): string {
    return `ssh://${user}@${address}:${this.#port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.kill();
    await this.#server?.exited;
    await rm(this.folder, { recursive: true });
  }

  async #makeKeys(): Promise<void> {
    for (const key of ["host", "other", "client"])
      await $`ssh-keygen -q -t ed25519 -N ${""} -f ${join(this.folder, key)}`;
    await $`cp ${this.folder}/client.pub ${this.folder}/authorized_keys`;
  }

  async #writeClient(): Promise<void> {
    const [host, other] = await Promise.all(
      ["host", "other"].map((key) => Bun.file(join(this.folder, `${key}.pub`)).text()),
    );
    const known = [
      `[127.0.0.1]:${this.#port},[127.0.0.2]:${this.#port} ${host}`,
      `[127.0.0.3]:${this.#port} ${other}`,
    ];
    await writeFile(join(this.folder, "known_hosts"), known.join(""));
    const config = [
      `IdentityFile ${this.folder}/client`,
      "IdentitiesOnly yes",
      "IdentityAgent none",
      `UserKnownHostsFile ${this.folder}/known_hosts`,
      "GlobalKnownHostsFile /dev/null",
      // What no wasp may take for leave.
      "StrictHostKeyChecking no",
    ];
    await writeFile(join(this.folder, "ssh_config"), `${config.join("\n")}\n`);
    await writeFile(this.ssh, `#!/bin/sh\nexec ssh -F ${this.folder}/ssh_config "$@"\n`);
    await chmod(this.ssh, 0o755);
  }

  async #serve(): Promise<void> {
    const config = [
      `Port ${this.#port}`,
      ...Array.from({ length: ADDRESSES }, (_, index) => `ListenAddress 127.0.0.${index + 1}`),
      `HostKey ${this.folder}/host`,
      `AuthorizedKeysFile ${this.folder}/authorized_keys`,
      ...["PidFile none", "UsePAM no", "StrictModes no", "PermitRootLogin prohibit-password"],
      ...["PasswordAuthentication no", "KbdInteractiveAuthentication no"],
      // It would make bun itself of a wasp that let it in.
      "SetEnv BUN_BE_BUN=1",
    ];
    await writeFile(join(this.folder, "sshd_config"), `${config.join("\n")}\n`);
    // Debian's unit makes it, and sshd does not start without.
    await mkdir("/run/sshd", { recursive: true });
    const command = ["/usr/sbin/sshd", "-D", "-e", "-f", `${this.folder}/sshd_config`];
    this.#server = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    await listening(this.#server.stderr);
  }
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  listener.stop(true);
  return listener.port;
}

const ADDRESSES = 4;

/** Waits until the server listens on every address, then reads on for it, so that it never waits for a reader. */
async function listening(log: ReadableStream<Uint8Array>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  (async () => {
    let said = "";
    for await (const bytes of log) {
      said += new TextDecoder().decode(bytes);
      if (said.split("Server listening on").length > ADDRESSES) resolve();
    }
    reject(new Error(`sshd does not listen: ${said}`));
  })();
  await promise;
}
