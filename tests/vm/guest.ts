/** A node to test on: a real systemd, kernel and container runtimes, emulated by QEMU. */
import { dirname } from "node:path";
import type { GuestImage } from "./image.ts";
import { Machine, type MachineOptions } from "./machine.ts";

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
export interface BootOptions extends MachineOptions {
  /** How many boots may die before the last one's error is thrown; 3 unless told. */
  attempts?: number;
}

/** A running guest. */
export interface Guest extends AsyncDisposable {
  /** The port of 127.0.0.1 that leads to its sshd. */
  readonly sshPort: number;
  /** Runs a bash script as root and returns what it ended with. */
  run(script: string, options?: RunOptions): Promise<Outcome>;
  /** Runs a bash script as root, returns its standard output, and throws if it fails. */
  must(script: string, options?: RunOptions): Promise<string>;
  /** Copies a file into the guest, with mode 755 unless told. */
  push(localPath: string, remotePath: string, mode?: number): Promise<void>;
  /** Returns a unix socket of this host that leads to one of the guest's, there or not, until the guest restarts. */
  forward(remoteSocket: string): Promise<string>;
  /** Restarts it as an administrator does, on the same disks, and waits until it is up again. */
  reboot(): Promise<void>;
  /** Takes its power away at once, and turns it on again, on the same disks. */
  cutPower(): Promise<void>;
  /** Returns the last lines of the serial console. */
  consoleTail(): Promise<string>;
  /** Kills the guest and removes all that it left. */
  stop(): Promise<void>;
}

const graceSeconds = 30;

/** Boots a guest on a fresh copy of the image's disk and returns it once it is up and reachable. */
export async function bootGuest(image: GuestImage, options: BootOptions = {}): Promise<Guest> {
  const machine = await Machine.make(image, options);
  const { attempts = 3 } = options;
  try {
    await turnOn(machine, attempts);
  } catch (error) {
    await machine.scrap();
    throw error;
  }
  return guestOn(machine, attempts);
}

/** Turns a machine on, again if it dies under the emulation. */
async function turnOn(machine: Machine, attempts: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await machine.turnOn();
      const script = setClock(Math.round(Date.now() / 1000));
      succeeded(script, await runOn(machine, script, {}));
      return;
    } catch (error) {
      const report = `boot ${attempt} of ${attempts} failed: ${error}\n${await machine.consoleTail()}`;
      if (attempt >= attempts) throw new Error(report);
      console.warn(report);
    }
  }
}

/** Returns a script that leaves a clock alone that is right, because journald rotates its files at every step back. */
function setClock(seconds: number): string {
  return `offset=$((EPOCHSECONDS - ${seconds})); (( offset * offset <= 4 )) || date --set=@${seconds}`;
}

function guestOn(machine: Machine, attempts: number): Guest {
  const run = (script: string, options: RunOptions = {}) => runOn(machine, script, options);
  const must = async (script: string, options: RunOptions = {}) =>
    succeeded(script, await runOn(machine, script, options));
  return {
    sshPort: machine.sshPort,
    run,
    must,
    push: (localPath, remotePath, mode = 0o755) => push(machine, localPath, remotePath, mode),
    forward: (remoteSocket) => machine.forward(remoteSocket),
    reboot: async () => {
      await must("systemctl --no-block reboot");
      await machine.untilOff();
      await turnOn(machine, attempts);
    },
    cutPower: () => turnOn(machine, attempts),
    consoleTail: () => machine.consoleTail(),
    stop: () => machine.scrap(),
    [Symbol.asyncDispose]: () => machine.scrap(),
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
  if (client.signalCode || (code === 255 && !(await machine.isConnected()))) {
    throw new Error(`lost the guest during: ${script}\n${stderr}${await machine.consoleTail()}`);
  }
  return { code, stdout, stderr };
}

function succeeded(what: string, { code, stdout, stderr }: Outcome): string {
  if (code !== 0) throw new Error(`ended with ${code} in the guest: ${what}\n${stderr}${stdout}`);
  return stdout;
}

/** Returns a text as one word of a script. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
