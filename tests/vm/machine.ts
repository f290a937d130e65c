/**
 * An emulated computer: its disks, its power, and the SSH connection to what runs on it.
 *
 * QEMU runs in a chroot because Debian 12's own corrupts guests. A disk is an overlay, or a file without a name, that
 * goes with the process that has it open, and the kernel kills QEMU when this process ends: nothing outlives a test
 * run, however it ends.
 */
import { closeSync, openSync } from "node:fs";
import { exists, mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { type GuestImage, readyMarker } from "./image.ts";

/** What a machine is made of. */
export interface MachineOptions {
  /** Its RAM; 2048 unless told. */
  memoryMiB?: number;
  /** Whether its disk keeps what is written when the power goes; not, unless told. */
  isLasting?: boolean;
  /** A second disk, which is blank and lasts; none unless told. */
  secondDiskMiB?: number;
}

/** The name that udev gives the second disk. */
export const secondDisk = "/dev/disk/by-id/virtio-second";

const bootSeconds = 180;
const tailLines = 40;
const folderPrefix = "wasp-guest-";

/** A machine that can be turned on and off; on is what `turnOn` makes it, and what ends by itself is off. */
export class Machine {
  /** The port of 127.0.0.1 that leads to the machine's sshd. */
  readonly sshPort = freePort();
  readonly #image: GuestImage;
  readonly #memoryMiB: number;
  readonly #folder: string;
  readonly #disks: Disks;
  readonly #forwards = new Set<string>();
  #qemu: Bun.Subprocess | undefined;
  #master: Bun.Subprocess | undefined;

  private constructor(image: GuestImage, memoryMiB: number, folder: string, disks: Disks) {
    this.#image = image;
    this.#memoryMiB = memoryMiB;
    this.#folder = folder;
    this.#disks = disks;
  }

  /** Makes a machine, which is off. */
  static async make(image: GuestImage, options: MachineOptions = {}): Promise<Machine> {
    await removeAbandonedFolders();
    const folder = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
    return new Machine(image, options.memoryMiB ?? 2048, folder, await makeDisks(image, options, folder));
  }

  /** Turns it on, and waits until it is up and reachable. */
  async turnOn(): Promise<void> {
    await this.turnOff();
    const log = openSync(this.#console, "w");
    const command = ["setpriv", "--pdeathsig", "KILL", "chroot", this.#image.emulator, ...this.#command()];
    const disks = [this.#disks.root, this.#disks.second].filter((disk) => disk !== undefined);
    this.#qemu = Bun.spawn(command, {
      cwd: "/",
      env: { PATH: "/usr/sbin:/usr/bin" },
      stdio: ["ignore", log, log, ...disks],
    });
    closeSync(log);
    await this.#untilReady(this.#qemu);
    await this.#connect();
  }

  /** Takes its power away. */
  async turnOff(): Promise<void> {
    this.#qemu?.kill("SIGKILL");
    this.#master?.kill("SIGKILL");
    await Promise.all([this.#qemu?.exited, this.#master?.exited]);
    for (const socket of [this.#socket, ...this.#forwards]) await rm(socket, { force: true });
    this.#forwards.clear();
  }

  /** Waits until it has turned itself off, which is also what it does instead of a restart. */
  async untilOff(): Promise<void> {
    await poll("its end", async () => this.#qemu === undefined || hasEnded(this.#qemu));
  }

  /** The command line of a client that shares one connection, up to the command for the other end. */
  get ssh(): string[] {
    const options = [
      "BatchMode=yes",
      "IdentitiesOnly=yes",
      "LogLevel=ERROR",
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      ...cheapestCiphers,
    ];
    return [
      ...["ssh", "-F", "none", "-i", this.#image.key, "-p", `${this.sshPort}`, "-S", this.#socket],
      ...options.flatMap((option) => ["-o", option]),
      "root@127.0.0.1",
    ];
  }

  /** Whether the shared connection stands. */
  async isConnected(): Promise<boolean> {
    const command = [...this.ssh, "-O", "check"];
    const check = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    return (await check.exited) === 0;
  }

  /** Returns a unix socket of this host that leads to one of the machine's, there or not, until it is turned off. */
  async forward(remoteSocket: string): Promise<string> {
    const socket = join(this.#folder, remoteSocket.replaceAll("/", "-"));
    if (!this.#forwards.has(socket)) await $`${this.ssh} -O forward -L ${socket}:${remoteSocket}`.quiet();
    this.#forwards.add(socket);
    return socket;
  }

  /** Returns the last lines of the serial console since it was turned on. */
  async consoleTail(): Promise<string> {
    if (!(await exists(this.#console))) return "the guest has been stopped";
    const text = Bun.stripANSI(await Bun.file(this.#console).text());
    return text.split("\n").slice(-tailLines).join("\n");
  }

  /** Turns it off, and removes all that it left. */
  async scrap(): Promise<void> {
    await this.turnOff();
    for (const disk of Object.values(this.#disks)) closeSync(disk);
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #console(): string {
    return join(this.#folder, "console.log");
  }

  get #socket(): string {
    return join(this.#folder, "ssh");
  }

  #command(): string[] {
    const kernelOptions = [
      "root=/dev/nvme0n1 rw console=ttyS0",
      "psi=1 net.ifnames=0 systemd.ssh_auto=no",
      // With -no-reboot, a kernel that trips over the emulation ends QEMU at once.
      "oops=panic panic=-1",
      // What the guest does not need and would take a fifth of its start: guards for a real processor, and drivers.
      "mitigations=off module_blacklist=ahci",
    ];
    const { root, second } = this.#disks;
    return [
      "qemu-system-x86_64",
      ...["-machine", "q35", "-smp", "2"],
      ...["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max,la57=off,svm=off"],
      ...["-m", `${this.#memoryMiB}`, "-no-reboot", "-nodefaults", "-display", "none", "-serial", "stdio"],
      ...["-kernel", this.#image.kernel, "-append", kernelOptions.join(" ")],
      // Numbered as they follow the three of every process.
      ...[root, second].filter((disk) => disk !== undefined).flatMap((_, index) => addFd(index)),
      ...(root === undefined ? overlay(this.#image.disk) : disk("root", "nvme", fdSet(1))),
      // Of another kind than the first: the kernel may number two of a kind either way, and not find its root.
      ...(second === undefined ? [] : disk("second", "virtio-blk-pci", fdSet(root === undefined ? 1 : 2))),
      ...["-netdev", `user,id=net,hostfwd=tcp:127.0.0.1:${this.sshPort}-:22`],
      ...["-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"],
    ];
  }

  async #untilReady(qemu: Bun.Subprocess): Promise<void> {
    await poll(`the line "${readyMarker}" on the console`, async () => {
      if (hasEnded(qemu)) throw new Error(`QEMU ended with ${qemu.signalCode ?? qemu.exitCode}`);
      return (await Bun.file(this.#console).text()).includes(readyMarker);
    });
  }

  /** Opens the connection that all scripts share, because a handshake under emulation is slow. */
  async #connect(): Promise<void> {
    const command = [...this.ssh, "-M", "-N"];
    const master = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    this.#master = master;
    await poll("an SSH connection", async () => {
      if (hasEnded(master))
        throw new Error(`ssh ended with ${master.exitCode}: ${await master.stderr.text()}`);
      return await exists(this.#socket);
    });
  }
}

/** For ssh, the cheapest pair to emulate: 110 MB in about two seconds. */
export const cheapestCiphers = ["Ciphers=aes128-ctr", "MACs=umac-64@openssh.com"] as const;

/** Returns a port that was free a moment ago; whoever takes it in between costs one boot attempt. */
function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop();
  return port;
}

/** Removes what processes that were killed could not. */
async function removeAbandonedFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = name.match(`^${folderPrefix}(\\d+)-`)?.[1];
    if (owner && !(await exists(`/proc/${owner}`))) {
      await rm(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

/** The disks that last, as descriptors of files without a name. */
type Disks = { readonly root?: number; readonly second?: number };

async function makeDisks(image: GuestImage, options: MachineOptions, folder: string): Promise<Disks> {
  const { isLasting = false, secondDiskMiB } = options;
  return {
    ...(isLasting && { root: await withoutName(join(folder, "root"), (path) => copyRoot(image, path)) }),
    ...(secondDiskMiB !== undefined && {
      second: await withoutName(join(folder, "second"), async (path) => {
        await Bun.write(path, "");
        await truncate(path, secondDiskMiB * 1024 ** 2);
      }),
    }),
  };
}

async function withoutName(path: string, make: (path: string) => Promise<void>): Promise<number> {
  await make(path);
  const descriptor = openSync(path, "r+");
  await rm(path);
  return descriptor;
}

async function copyRoot({ emulator, disk }: GuestImage, path: string): Promise<void> {
  await $`cp --sparse=always --reflink=auto ${join(emulator, disk)} ${path}`.quiet();
  // The image has none, which is faster where no power is cut.
  await $`tune2fs -O has_journal -J size=16 ${path}`.quiet();
}

function addFd(index: number): string[] {
  return ["-add-fd", `fd=${index + 3},set=${index + 1}`];
}

function fdSet(set: number): string {
  return `/dev/fdset/${set}`;
}

function overlay(file: string): string[] {
  const drive = `if=none,id=root,format=raw,file=${file},snapshot=on,cache=unsafe`;
  return ["-drive", drive, "-device", "nvme,drive=root,serial=root"];
}

function disk(name: string, kind: string, file: string): string[] {
  return [
    ...["-blockdev", `driver=file,node-name=${name},filename=${file},cache.no-flush=on`],
    ...["-device", `${kind},drive=${name},serial=${name}`],
  ];
}

function hasEnded({ exitCode, signalCode }: Bun.Subprocess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function poll(what: string, isThere: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + bootSeconds * 1000;
  while (!(await isThere())) {
    if (Date.now() > deadline) throw new Error(`waited ${bootSeconds} s for ${what}`);
    await Bun.sleep(50);
  }
}
