/**
 * An emulated computer: its disks, its power, and the SSH connection to what runs on it.
 *
 * QEMU runs in a chroot because Debian 12's own corrupts guests. Its disks have no names, and the kernel kills it when this
 * process ends: nothing outlives a test run in any case.
 */
import { closeSync, openSync } from "node:fs";
import { exists, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { patience } from "../patience.ts";
import { retried, untilDone } from "./deadline.ts";
import { type DiskOptions, type Disks, makeDisks } from "./disks.ts";
import type { GuestImage } from "./image.ts";
import { readyMarker } from "./image-recipe.ts";
import { Monitor } from "./monitor.ts";
import { snapshotMemory } from "./snapshot-files.ts";

/** Parts of a machine. */
export interface MachineOptions extends DiskOptions {
  /** RAM; 2048 by default. */
  readonly memoryMiB?: number;
}

/** Longest time for which the console stands still while a guest starts or stops. */
const CONSOLE_IDLE_SECONDS = 120;
/** Longest time for a guest to start or to stop, even if its console moves. */
const POWER_BOUND_SECONDS = 900;
const CONNECT_SECONDS = 240;
const RECONNECT_MILLISECONDS = 500;
const TAIL_LINES = 40;
const FOLDER_PREFIX = "wasp-guest-";
/** Number of the console's descriptor in the emulator, which the disks' follow. */
const CONSOLE_DESCRIPTOR = 3;

/** A machine that can be turned on and off. It is off when it is made, and when it has ended by itself. */
export class Machine {
  /** Port of 127.0.0.1 that leads to the machine's sshd. */
  readonly sshPort = freePort();
  readonly #image: GuestImage;
  readonly #options: MachineOptions;
  readonly #folder: string;
  readonly #disks: Disks;
  readonly #forwards = new Set<string>();
  #qemu: Bun.Subprocess<"pipe", "pipe", number> | undefined;
  #monitor: Monitor | undefined;
  #master: Bun.Subprocess | undefined;

  private constructor(image: GuestImage, options: MachineOptions, folder: string, disks: Disks) {
    this.#image = image;
    this.#options = options;
    this.#folder = folder;
    this.#disks = disks;
  }

  /** Makes a machine. */
  static async make(image: GuestImage, options: MachineOptions = {}): Promise<Machine> {
    await removeAbandonedFolders();
    const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
    return new Machine(image, options, folder, await makeDisks(image, options, folder));
  }

  /** Turns it on, from its snapshot if it has one, and waits until it is up and reachable. */
  async turnOn(): Promise<void> {
    await this.turnOff();
    const { snapshot } = this.#options;
    const log = openSync(this.#console, "w");
    const command = ["setpriv", "--pdeathsig", "KILL", "chroot", this.#image.emulator, ...this.#command()];
    this.#qemu = Bun.spawn(command, {
      cwd: "/",
      env: { PATH: "/usr/sbin:/usr/bin" },
      stdio: ["pipe", "pipe", log, log, ...this.#disks.descriptors],
    });
    closeSync(log);
    this.#monitor = await Monitor.open(this.#qemu);
    if (snapshot === undefined) await this.#untilBooted();
    else await this.#monitor.load(snapshotMemory(snapshot));
    await this.#connect();
  }

  /** Turns it off at once. */
  async turnOff(): Promise<void> {
    this.#qemu?.kill("SIGKILL");
    this.#master?.kill("SIGKILL");
    await Promise.all([this.#qemu?.exited, this.#master?.exited]);
    for (const socket of [this.#socket, ...this.#forwards]) await rm(socket, { force: true });
    this.#forwards.clear();
  }

  /** Writes the memory of a machine that records a snapshot, and turns it off. */
  async save(): Promise<void> {
    const { recording } = this.#options;
    if (recording === undefined) throw new Error("this machine records no snapshot");
    this.#master?.kill();
    await this.#master?.exited;
    await this.#monitor?.save(snapshotMemory(recording));
  }

  /** Waits until it has turned itself off, which it also does instead of a restart. */
  async untilOff(): Promise<void> {
    await this.#whileConsoleMoves("the guest's end", async () => !this.isOn);
  }

  /** True if the emulator runs. */
  get isOn(): boolean {
    return this.#qemu !== undefined && !hasEnded(this.#qemu);
  }

  /** True if its disks keep their contents while it is off. */
  get isLasting(): boolean {
    return this.#options.isLasting ?? false;
  }

  /** Command line of a client that shares one connection, without the command for the other end. */
  get ssh(): string[] {
    const options = [
      "BatchMode=yes",
      "IdentitiesOnly=yes",
      "LogLevel=ERROR",
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      `ConnectTimeout=${Math.ceil(patience(CONNECT_SECONDS) / 1000)}`,
      ...cheapestCiphers,
    ];
    return [
      ...["ssh", "-F", "none", "-i", this.#image.key, "-p", `${this.sshPort}`, "-S", this.#socket],
      ...options.flatMap((option) => ["-o", option]),
      "root@127.0.0.1",
    ];
  }

  /** Returns true if the shared connection stands. */
  async isConnected(): Promise<boolean> {
    const command = [...this.ssh, "-O", "check"];
    const check = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    return (await check.exited) === 0;
  }

  /** Returns a unix socket of this host that leads to one of the machine's, which may not exist yet, until it is turned off. */
  async forward(remoteSocket: string): Promise<string> {
    const socket = join(this.#folder, remoteSocket.replaceAll("/", "-"));
    if (!this.#forwards.has(socket)) await $`${this.ssh} -O forward -L ${socket}:${remoteSocket}`.quiet();
    this.#forwards.add(socket);
    return socket;
  }

  /** Returns the last lines of the serial console since the machine was turned on. */
  async consoleTail(): Promise<string> {
    if (!(await exists(this.#console))) return "the guest has been stopped";
    const text = Bun.stripANSI(await Bun.file(this.#console).text());
    const end = this.isOn ? "" : `\nQEMU has ended with ${this.#qemu?.signalCode ?? this.#qemu?.exitCode}`;
    return `the console's last lines:\n${text.split("\n").slice(-TAIL_LINES).join("\n")}${end}`;
  }

  /** Turns it off, and removes everything that it left. */
  async scrap(): Promise<void> {
    await this.turnOff();
    for (const descriptor of this.#disks.descriptors) closeSync(descriptor);
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #console(): string {
    return join(this.#folder, "console.log");
  }

  get #socket(): string {
    return join(this.#folder, "ssh");
  }

  #command(): string[] {
    const { memoryMiB = 2048, snapshot } = this.#options;
    const console = `/dev/fdset/${CONSOLE_DESCRIPTOR}`;
    return [
      ...machineCommand(this.#image, memoryMiB),
      ...["-chardev", "stdio,id=monitor", "-mon", "chardev=monitor,mode=control"],
      ...["-add-fd", `fd=${CONSOLE_DESCRIPTOR},set=${CONSOLE_DESCRIPTOR}`, "-serial", `file:${console}`],
      ...this.#disks.flags(CONSOLE_DESCRIPTOR + 1),
      ...["-netdev", `user,id=net,hostfwd=tcp:127.0.0.1:${this.sshPort}-:22`],
      ...["-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"],
      ...(snapshot === undefined ? [] : ["-incoming", "defer"]),
    ];
  }

  async #untilBooted(): Promise<void> {
    await this.#whileConsoleMoves(`the line "${readyMarker}" on the console`, async () => {
      if (!this.isOn) throw new Error("QEMU has ended");
      return (await Bun.file(this.#console).text()).includes(readyMarker);
    });
  }

  async #whileConsoleMoves(name: string, isDone: () => Promise<boolean>): Promise<void> {
    await untilDone({
      ...{ name, isDone, progress: async () => (await stat(this.#console)).size },
      ...{ idleSeconds: CONSOLE_IDLE_SECONDS, boundSeconds: POWER_BOUND_SECONDS },
    });
  }

  /** Opens the connection that all scripts share, because a handshake under emulation is slow. */
  async #connect(): Promise<void> {
    let failure = "";
    await retried(
      CONNECT_SECONDS,
      async () => {
        if (!this.isOn) throw new Error("QEMU has ended");
        if (this.#master === undefined || hasEnded(this.#master)) {
          // A guest that is short of processor time may refuse at first.
          if (this.#master !== undefined) await Bun.sleep(RECONNECT_MILLISECONDS);
          const command = [...this.ssh, "-M", "-N"];
          const master = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
          this.#master = master;
          master.stderr.text().then((text) => {
            failure = text;
          });
        }
        return (await exists(this.#socket)) || undefined;
      },
      () => `no SSH connection: ${failure}`,
    );
  }
}

/** Ciphers that are the cheapest to emulate: ssh copies 110 MB in about two seconds. */
export const cheapestCiphers = ["Ciphers=aes128-ctr", "MACs=umac-64@openssh.com"] as const;

// With these, the guest's kernel copies memory byte by byte, which takes 2.5 times as long in emulation as by words.
const withoutByteStrings = ["erms", "fsrm", "fzrm", "fsrs", "fsrc"].map((flag) => `${flag}=off`).join(",");

/** Returns the command line of every machine of one kind, on which a snapshot depends. */
export function machineCommand(image: GuestImage, memoryMiB: number): string[] {
  const kernelOptions = [
    "rw console=ttyS0",
    "psi=1 net.ifnames=0 systemd.ssh_auto=no",
    // With -no-reboot, a kernel that fails under the emulation ends QEMU at once.
    "oops=panic panic=-1",
    // Mitigations and a driver that the guest does not need would take a fifth of its start.
    "mitigations=off module_blacklist=ahci",
  ];
  return [
    "qemu-system-x86_64",
    ...["-machine", "q35", "-smp", "2"],
    ...["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", `max,la57=off,svm=off,${withoutByteStrings}`],
    ...["-m", `${memoryMiB}`, "-no-reboot", "-nodefaults", "-display", "none"],
    ...["-kernel", image.kernel, "-initrd", image.initrd, "-append", kernelOptions.join(" ")],
  ];
}

/** Returns a port that was free a moment ago; if another process takes it in between, a start fails. */
function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop();
  return port;
}

/** Removes folders of processes that were killed. */
async function removeAbandonedFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = name.match(`^${FOLDER_PREFIX}(\\d+)-`)?.[1];
    if (owner && !(await exists(`/proc/${owner}`))) {
      await rm(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

function hasEnded({ exitCode, signalCode }: Bun.Subprocess): boolean {
  return exitCode !== null || signalCode !== null;
}
