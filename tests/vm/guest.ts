/** A node to test on: a real systemd, kernel and container runtimes, emulated by QEMU. */
import { dirname } from "node:path";
import { scaledSeconds } from "./deadline.ts";
import { runToEnd } from "./host-command.ts";
import type { GuestImage } from "./image.ts";
import { Machine, type MachineOptions } from "./machine.ts";

/** Exit code and outputs of a script in the guest; the code is 124 after a time-out. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Settings of a script's run in the guest. */
export interface RunOptions {
  /** Time after which the script is killed, on the reference machine; 120 seconds by default. */
  readonly timeoutSeconds?: number;
  /** Standard input; empty by default. */
  readonly stdin?: string | Uint8Array;
}

/** Settings of a guest. */
export interface GuestOptions extends MachineOptions {
  /** Starts that may fail before the last one's error is thrown, because a kernel may crash under the emulation; 3 by default. */
  readonly attempts?: number;
}

const TIMEOUT_SECONDS = 120;
/** Time beyond a script's own time-out after which the guest itself counts as hung. */
const GRACE_SECONDS = 60;
/** Difference between the guest's clock and the host's that is not corrected, because journald rotates its files at a step back. */
const CLOCK_TOLERANCE_SECONDS = 2;

/** A running guest. */
export class Guest implements AsyncDisposable {
  readonly #machine: Machine;
  readonly #attempts: number;
  /** Message of every call once the guest has died or hangs. */
  #loss: string | undefined;

  private constructor(machine: Machine, attempts: number) {
    this.#machine = machine;
    this.#attempts = attempts;
  }

  /** Starts a guest on disks of its own, and returns it once it is up and reachable. */
  static async start(image: GuestImage, options: GuestOptions = {}): Promise<Guest> {
    const guest = new Guest(await Machine.make(image, options), options.attempts ?? 3);
    try {
      await guest.#turnOn();
    } catch (error) {
      await guest.stop();
      throw error;
    }
    return guest;
  }

  /** Port of 127.0.0.1 that leads to its sshd. */
  get sshPort(): number {
    return this.#machine.sshPort;
  }

  /** Runs a bash script as root. */
  async run(script: string, options: RunOptions = {}): Promise<Outcome> {
    const { timeoutSeconds = TIMEOUT_SECONDS, stdin = "" } = options;
    return await this.#execute(script, timeoutSeconds, Buffer.from(stdin));
  }

  /** Runs a bash script as root and returns its standard output; throws if it fails. */
  async must(script: string, options: RunOptions = {}): Promise<string> {
    return succeeded(script, await this.run(script, options));
  }

  /** Copies a file into the guest. */
  async push(localPath: string, remotePath: string, mode = 0o755): Promise<void> {
    // Renamed into place, because a file that is being executed cannot be written to.
    const [target, draft] = [quote(remotePath), quote(`${remotePath}.part`)];
    const script = `set -e
      mkdir -p ${quote(dirname(remotePath))}
      cat > ${draft}
      chmod ${mode.toString(8)} ${draft}
      mv ${draft} ${target}`;
    succeeded(`push of ${localPath}`, await this.#execute(script, TIMEOUT_SECONDS, Bun.file(localPath)));
  }

  /** Returns a unix socket of this host that leads to one of the guest's, which may not exist yet, until the guest restarts. */
  async forward(remoteSocket: string): Promise<string> {
    return await this.#machine.forward(remoteSocket);
  }

  /** Restarts it as an administrator does, on the same disks, and waits until it is up again. */
  async reboot(): Promise<void> {
    this.#expectLasting();
    await this.must("systemctl --no-block reboot");
    await this.#machine.untilOff();
    await this.#turnOn();
  }

  /** Cuts its power, and turns it on again on the same disks. */
  async cutPower(): Promise<void> {
    this.#expectLasting();
    await this.#turnOn();
  }

  /** Writes a snapshot of it, for which it was started, and ends it. */
  async save(): Promise<void> {
    await this.must("sync");
    await this.#machine.save();
  }

  /** Kills the guest and removes everything that it left. */
  async stop(): Promise<void> {
    await this.#machine.scrap();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #expectLasting(): void {
    if (!this.#machine.isLasting) throw new Error("the guest's disk does not last: it cannot start again");
  }

  async #turnOn(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#loss = undefined;
        await this.#machine.turnOn();
        await this.#setClock();
        return;
      } catch (error) {
        const report = `start ${attempt} of ${this.#attempts} failed: ${error}\n${await this.#machine.consoleTail()}`;
        if (attempt >= this.#attempts) throw new Error(report);
        console.warn(report);
      }
    }
  }

  /** Corrects the clock, which a snapshot leaves where it was. */
  async #setClock(): Promise<void> {
    const before = Date.now();
    const guestSeconds = Number(await this.must("echo $EPOCHREALTIME"));
    const offset = Math.round((before + Date.now()) / 2000 - guestSeconds);
    if (Math.abs(offset) > CLOCK_TOLERANCE_SECONDS)
      await this.must(`date --set=@$((EPOCHSECONDS + ${offset}))`);
  }

  async #execute(script: string, timeoutSeconds: number, stdin: Buffer | Bun.BunFile): Promise<Outcome> {
    if (this.#loss !== undefined) throw new Error(this.#loss);
    const seconds = scaledSeconds(timeoutSeconds);
    const hungAfter = (seconds + scaledSeconds(GRACE_SECONDS)) * 1000;
    const startedAt = performance.now();
    const command = [...this.#machine.ssh, `timeout --kill-after=5 ${seconds} bash -c ${quote(script)}`];
    // The guest keeps the time-out itself, unless it hangs.
    const options = { stdin, timeoutMilliseconds: hungAfter };
    const { code, signal, stdout, stderr } = await runToEnd(command, options);
    const isHung = signal !== undefined && performance.now() - startedAt >= hungAfter;
    if (isHung || (code === 255 && !(await this.#machine.isConnected()))) {
      const tail = await this.#machine.consoleTail();
      this.#loss = `lost the guest during: ${script}\n${stderr}${tail}`;
      // A guest that hangs would take a processor from the others.
      await this.#machine.turnOff();
      throw new Error(this.#loss);
    }
    if (code === undefined) throw new Error(`ssh was ended by ${signal} during: ${script}`);
    return { code, stdout, stderr };
  }
}

function succeeded(name: string, { code, stdout, stderr }: Outcome): string {
  if (code !== 0) throw new Error(`ended with ${code} in the guest: ${name}\n${stderr}${stdout}`);
  return stdout;
}

/** Returns a text as one word of a script. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
