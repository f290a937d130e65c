/**
 * A node to test on: a real systemd, kernel and container runtimes, emulated by QEMU.
 *
 * QEMU runs in a chroot because Debian 12's own corrupts guests. It writes to an overlay that it unlinks as soon
 * as it is open, and the kernel kills it when this process ends, so nothing outlives a test run, however it ends.
 */
import { closeSync, openSync } from "node:fs";
import { exists, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type GuestImage, readyMarker } from "./image.ts";

/** What a script in the guest ended with; the code is 124 when its time was up. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** How a script is run in the guest. */
export interface RunOptions {
  /** After this time the script is killed; 120 seconds unless told. */
  timeoutSeconds?: number;
  /** What the script reads; nothing unless told. */
  stdin?: string | Uint8Array;
}

/** How a guest is booted. */
export interface BootOptions {
  /** The guest's RAM; 2048 unless told. */
  memoryMiB?: number;
  /** How many boots may die before the last one's error is thrown; 3 unless told. */
  attempts?: number;
}

/** A running guest. */
export interface Guest extends AsyncDisposable {
  /** Runs a bash script as root and returns what it ended with. */
  run(script: string, options?: RunOptions): Promise<Outcome>;
  /** Runs a bash script as root, returns its standard output, and throws if it fails. */
  must(script: string, options?: RunOptions): Promise<string>;
  /** Copies a file into the guest, with mode 755 unless told. */
  push(localPath: string, remotePath: string, mode?: number): Promise<void>;
  /** Returns the last lines of the serial console. */
  consoleTail(): Promise<string>;
  /** Kills the guest and removes all that it left. */
  stop(): Promise<void>;
}

interface Machine {
  qemu: Bun.Subprocess;
  /** A folder of its own, for the console log and the socket of the SSH connection. */
  folder: string;
  console: string;
  ssh: string[];
}

const bootSeconds = 180;
const graceSeconds = 30;
const tailLines = 40;
const folderPrefix = "wasp-guest-";

/** Boots a guest on a fresh copy of the image's disk and returns it once it is up and reachable. */
export async function bootGuest(
  image: GuestImage,
  { memoryMiB = 2048, attempts = 3 }: BootOptions = {},
): Promise<Guest> {
  await removeAbandonedFolders();
  for (let attempt = 1; ; attempt++) {
    const machine = await start(image, memoryMiB);
    try {
      await untilReady(machine);
      await connect(machine);
      const guest = guestOn(machine);
      await guest.must(setClock(Math.round(Date.now() / 1000)));
      return guest;
    } catch (error) {
      const report = `boot ${attempt} of ${attempts} failed: ${error}\n${await tail(machine)}`;
      await stop(machine);
      if (attempt >= attempts) throw new Error(report);
      console.warn(report);
    }
  }
}

/** Returns a script that leaves a clock alone that is right, because journald rotates its files at every step back. */
function setClock(seconds: number): string {
  return `offset=$((EPOCHSECONDS - ${seconds})); (( offset * offset <= 4 )) || date --set=@${seconds}`;
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

async function start(image: GuestImage, memoryMiB: number): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  const console = join(folder, "console.log");
  const port = freePort();
  const log = openSync(console, "a");
  const qemu = Bun.spawn(
    ["setpriv", "--pdeathsig", "KILL", "chroot", image.emulator, ...qemuCommand(image, memoryMiB, port)],
    { cwd: "/", env: { PATH: "/usr/sbin:/usr/bin" }, stdin: "ignore", stdout: log, stderr: log },
  );
  closeSync(log);
  return { qemu, folder, console, ssh: sshCommand(image, port, join(folder, "ssh")) };
}

/** Returns a port that was free a moment ago; whoever takes it in between costs one boot attempt. */
function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop();
  return port;
}

function qemuCommand(image: GuestImage, memoryMiB: number, sshPort: number): string[] {
  const kernelOptions = [
    "root=/dev/nvme0n1 rw console=ttyS0",
    "psi=1 net.ifnames=0 systemd.ssh_auto=no",
    // With -no-reboot, a kernel that trips over the emulation ends QEMU at once.
    "oops=panic panic=-1",
  ];
  return [
    "qemu-system-x86_64",
    ...["-machine", "q35", "-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max,la57=off", "-smp", "2"],
    ...["-m", `${memoryMiB}`, "-no-reboot", "-nodefaults", "-display", "none", "-serial", "stdio"],
    ...["-kernel", image.kernel, "-append", kernelOptions.join(" ")],
    ...["-drive", `if=none,id=root,format=raw,file=${image.disk},snapshot=on,cache=unsafe`],
    ...["-device", "nvme,drive=root,serial=root"],
    ...["-netdev", `user,id=net,hostfwd=tcp:127.0.0.1:${sshPort}-:22`],
    ...["-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"],
  ];
}

function sshCommand(image: GuestImage, port: number, socket: string): string[] {
  const options = [
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "LogLevel=ERROR",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    // The cheapest pair to emulate: 110 MB in about two seconds.
    "Ciphers=aes128-ctr",
    "MACs=umac-64@openssh.com",
  ];
  return [
    ...["ssh", "-F", "none", "-i", image.key, "-p", `${port}`, "-S", socket],
    ...options.flatMap((option) => ["-o", option]),
    "root@127.0.0.1",
  ];
}

async function untilReady({ qemu, console }: Machine): Promise<void> {
  await poll(`the line "${readyMarker}" on the console`, async () => {
    if (hasEnded(qemu)) throw new Error(`QEMU ended with ${qemu.signalCode ?? qemu.exitCode}`);
    return (await Bun.file(console).text()).includes(readyMarker);
  });
}

/** Opens the connection that all scripts share, because a handshake under emulation is slow. */
async function connect({ ssh, folder }: Machine): Promise<void> {
  const master = Bun.spawn([...ssh, "-M", "-N"], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  await poll("an SSH connection", async () => {
    if (hasEnded(master)) throw new Error(`ssh ended with ${master.exitCode}: ${await master.stderr.text()}`);
    return await exists(join(folder, "ssh"));
  });
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

function guestOn(machine: Machine): Guest {
  const run = (script: string, options: RunOptions = {}) => runOn(machine, script, options);
  const must = async (script: string, options: RunOptions = {}) =>
    succeeded(script, await runOn(machine, script, options));
  return {
    run,
    must,
    push: (localPath, remotePath, mode = 0o755) => push(machine, localPath, remotePath, mode),
    consoleTail: () => tail(machine),
    stop: () => stop(machine),
    [Symbol.asyncDispose]: () => stop(machine),
  };
}

async function runOn(machine: Machine, script: string, options: RunOptions): Promise<Outcome> {
  const { timeoutSeconds = 120, stdin = "" } = options;
  return await execute(machine, script, timeoutSeconds, Buffer.from(stdin));
}

async function push(machine: Machine, localPath: string, remotePath: string, mode: number): Promise<void> {
  // Written beside and moved in, because a file that is being executed cannot be written to.
  const [target, draft] = [quote(remotePath), quote(`${remotePath}.part`)];
  const script = `set -e
    mkdir -p ${quote(dirname(remotePath))}
    cat > ${draft}
    chmod ${mode.toString(8)} ${draft}
    mv ${draft} ${target}`;
  succeeded(`push of ${localPath}`, await execute(machine, script, 120, Bun.file(localPath)));
}

async function execute(
  machine: Machine,
  script: string,
  timeoutSeconds: number,
  stdin: Buffer | Bun.BunFile,
): Promise<Outcome> {
  const command = `timeout --kill-after=5 ${timeoutSeconds} bash -c ${quote(script)}`;
  const client = Bun.spawn([...machine.ssh, command], {
    stdin,
    stdout: "pipe",
    stderr: "pipe",
    // The guest keeps the time itself; this one is for a guest that no longer can.
    timeout: (timeoutSeconds + graceSeconds) * 1000,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([client.stdout.text(), client.stderr.text()]);
  const code = await client.exited;
  if (client.signalCode || (code === 255 && !(await isConnected(machine)))) {
    throw new Error(`lost the guest during: ${script}\n${stderr}${await tail(machine)}`);
  }
  return { code, stdout, stderr };
}

async function isConnected({ ssh }: Machine): Promise<boolean> {
  const check = Bun.spawn([...ssh, "-O", "check"], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  return (await check.exited) === 0;
}

function succeeded(what: string, { code, stdout, stderr }: Outcome): string {
  if (code !== 0) throw new Error(`ended with ${code} in the guest: ${what}\n${stderr}${stdout}`);
  return stdout;
}

/** Returns a text as one word of a script. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

async function tail({ console }: Machine): Promise<string> {
  if (!(await exists(console))) return "the guest has been stopped";
  const text = Bun.stripANSI(await Bun.file(console).text());
  return text.split("\n").slice(-tailLines).join("\n");
}

async function stop({ qemu, folder }: Machine): Promise<void> {
  qemu.kill("SIGKILL");
  await qemu.exited;
  await rm(folder, { recursive: true, force: true });
}
