import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { type Outcome, WASP, wasp } from "./binary.ts";

/** Temporary tree in place of a host's root, with stand-ins for commands that only log their command line. */
export class InstallHost implements Disposable {
  readonly root = mkdtempSync(`${tmpdir()}/wasp-host-`);
  readonly #commands = mkdtempSync(`${tmpdir()}/wasp-commands-`);

  /** Creates the folders of a host; a bare one has none, as in a container with single folders mounted. */
  constructor({ isBare = false } = {}) {
    this.onCommand("");
    if (isBare) return;
    for (const folder of ["/etc", "/usr/share", "/usr/local/bin", "/var/lib", "/proc"])
      this.makeFolder(folder);
    this.write("/proc/meminfo", "MemTotal:        16777216 kB\nSwapTotal:       0 kB\n");
  }

  /** Sets the shell script that the stand-in for every command runs after it has logged its command line. */
  onCommand(script: string): void {
    // Commands in a host are run by chroot, whose first argument is the host's root.
    const text = `#!/bin/sh\nshift\necho "$*" >> ${this.#commands}/log\n${script}\n`;
    writeFileSync(`${this.#commands}/chroot`, text);
    chmodSync(`${this.#commands}/chroot`, 0o755);
  }

  /** Command lines that were run. */
  get ran(): readonly string[] {
    const log = `${this.#commands}/log`;
    return existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
  }

  /** Writes a file of the host, with its folders. */
  write(path: string, text: string, mode = 0o644): void {
    this.makeFolder(dirname(path));
    writeFileSync(this.root + path, text);
    chmodSync(this.root + path, mode);
  }

  /** Creates a folder of the host. */
  makeFolder(path: string): void {
    mkdirSync(this.root + path, { recursive: true });
  }

  /** Removes a file or folder of the host. */
  remove(path: string): void {
    rmSync(this.root + path, { recursive: true });
  }

  /** Reads a file of the host. */
  read(path: string): string {
    return readFileSync(this.root + path, "utf8");
  }

  /** Adds a process to the host's /proc. */
  addProcess(pid: number, name: string, commandLine: readonly string[]): void {
    this.write(`/proc/${pid}/comm`, `${name}\n`);
    this.write(`/proc/${pid}/cmdline`, commandLine.map((word) => `${word}\0`).join(""));
  }

  /** Lists all paths below the root: a file with mode and digest, a link with its target, a folder with its mode. */
  listing(): Record<string, string> {
    const names = readdirSync(this.root, { recursive: true, encoding: "utf8" }).sort();
    return Object.fromEntries(names.map((name) => [`/${name}`, this.#describe(`${this.root}/${name}`)]));
  }

  #describe(path: string): string {
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) return `${mode} folder`;
    return `${mode} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
  }

  /** Runs `wasp install` or `wasp uninstall` on the host as a running one. */
  wasp(command: "install" | "uninstall", ...flags: readonly string[]): Promise<Outcome> {
    return wasp([command, "--fsroot", this.root, ...flags], "ignore", this.#env);
  }

  /** Runs `wasp install` or `wasp uninstall` on the host as an image. */
  waspImage(command: "install" | "uninstall", ...flags: readonly string[]): Promise<Outcome> {
    return wasp([command, "--root", this.root, ...flags], "ignore", this.#env);
  }

  /** Starts a command on the host, and kills it after this time. */
  async killed(command: "install" | "uninstall", milliseconds: number): Promise<void> {
    const run = Bun.spawn([WASP, command, "--fsroot", this.root], {
      stdout: "ignore",
      stderr: "ignore",
      env: this.#env,
    });
    await Promise.race([run.exited, Bun.sleep(milliseconds)]);
    run.kill("SIGKILL");
    await run.exited;
  }

  get #env(): Record<string, string> {
    return { PATH: `${this.#commands}:/usr/bin:/bin` };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
    rmSync(this.#commands, { recursive: true });
  }
}
