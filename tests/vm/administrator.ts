/**
 * wasp on this machine, run by an administrator who reaches the guest like any other host: through the system's ssh, with
 * an ssh configuration, a key, and known_hosts.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome } from "../node/binary.ts";
import { WASP } from "../node/binary.ts";
import { otherHosts } from "./fresh-host.ts";
import type { Guest } from "./guest.ts";
import { runToEnd } from "./host-command.ts";
import type { GuestImage } from "./image.ts";
import { cheapestCiphers } from "./machine.ts";

/** Names of hosts in the ssh configuration: the guest, and the other hosts on it. */
type HostName = "first" | (typeof otherHosts)[number];

const hostNames: readonly HostName[] = ["first", ...otherHosts];

/** An administrator of the guest. */
export class Administrator implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes an ssh configuration with the guest's host key, and a key that the guest's root accepts. */
  static async of(guest: Guest, image: GuestImage): Promise<Administrator> {
    const folder = await mkdtemp(join(tmpdir(), "wasp-administrator-"));
    const hostKey = await guest.must("cat /etc/ssh/ssh_host_ed25519_key.pub");
    await writeFile(join(folder, "known_hosts"), `[127.0.0.1]:${guest.sshPort} ${hostKey}`);
    const config = [
      `IdentityFile ${image.key}`,
      "IdentitiesOnly yes",
      "IdentityAgent none",
      `UserKnownHostsFile ${folder}/known_hosts`,
      "GlobalKnownHostsFile /dev/null",
      ...cheapestCiphers,
      "HostName 127.0.0.1",
      `Port ${guest.sshPort}`,
      ...hostNames.flatMap((host) => [`Host ${host}`, `User ${host === "first" ? "root" : host}`]),
    ];
    await writeFile(join(folder, "config"), config.map((line) => `${line}\n`).join(""));
    await mkdir(join(folder, "bin"));
    // With the original PATH, because it would find itself otherwise.
    const script = `#!/bin/sh\nPATH='${process.env["PATH"]}' exec ssh -F ${folder}/config "$@"\n`;
    await writeFile(join(folder, "bin/ssh"), script);
    await chmod(join(folder, "bin/ssh"), 0o755);
    return new Administrator(folder);
  }

  /** Runs wasp to its end, for one or several hosts; by default for the guest. */
  async wasp(
    command: "install" | "uninstall",
    flags: readonly string[] = [],
    hosts: readonly HostName[] = ["first"],
  ): Promise<Outcome> {
    const where = hosts.flatMap((host) => ["--ssh", host]);
    const env = { ...process.env, PATH: `${this.#folder}/bin:${process.env["PATH"]}` };
    const run = await runToEnd([WASP, command, ...where, "--verbose", ...flags], { env });
    return { exitCode: run.code ?? -1, stdout: run.stdout, stderr: run.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}
