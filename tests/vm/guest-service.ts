import type { LogEntry } from "../node/running-wasp.ts";
import { type Guest, quote } from "./guest.ts";

const patienceSeconds = 10;

/** A command of wasp's at work on the node, as a unit of systemd that logs in JSON. */
export class GuestService implements AsyncDisposable {
  readonly #guest: Guest;
  readonly #unit: string;
  readonly #log: string;

  private constructor(guest: Guest, name: string) {
    this.#guest = guest;
    this.#unit = `${name}.service`;
    this.#log = `/run/${name}.log`;
  }

  /** Starts it under a name that no other has. */
  static async start(
    guest: Guest,
    name: string,
    command: string,
    flags: readonly string[],
  ): Promise<GuestService> {
    const service = new GuestService(guest, name);
    const argv = ["/usr/local/bin/wasp", command, "--log-format=Json", ...flags];
    const outputs = ["StandardOutput", "StandardError"].map(
      (output) => `--property=${output}=append:${service.#log}`,
    );
    await guest.must(
      `: > ${service.#log}; systemd-run --quiet --collect --unit=${service.#unit} ${outputs.join(" ")} ${argv.map(quote).join(" ")}`,
    );
    return service;
  }

  /** All that it has logged. */
  async log(): Promise<LogEntry[]> {
    // The last line may not be whole yet, and what ends it before its time is said in plain words.
    const lines = (await this.#guest.must(`cat ${this.#log}`)).split("\n").slice(0, -1);
    return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  /** All events of a name. */
  async events(name: string): Promise<LogEntry[]> {
    return (await this.log()).filter(({ event }) => event === name);
  }

  /** Waits for an event, of which there may be some already, and returns the first that fits. */
  async event(
    name: string,
    fits: (entry: LogEntry) => boolean = () => true,
    seconds = patienceSeconds,
  ): Promise<LogEntry> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const found = (await this.events(name)).find(fits);
      if (found !== undefined) return found;
      if (Date.now() > deadline)
        throw new Error(`no ${name} in:\n${await this.#guest.must(`cat ${this.#log}`)}`);
      await Bun.sleep(100);
    }
  }

  /** A property of its unit, as systemd shows it. */
  async property(name: string): Promise<string> {
    return (await this.#guest.must(`systemctl show --property=${name} --value ${this.#unit}`)).trim();
  }

  /** Kills it, as the kernel would for want of memory. */
  async kill(): Promise<void> {
    await this.#guest.must(
      `systemctl kill --signal=KILL ${this.#unit}; while systemctl is-active --quiet ${this.#unit}; do sleep 0.05; done`,
    );
  }

  /** Has systemd stop it, if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guest.must(`systemctl stop ${this.#unit} 2> /dev/null || true; rm --force ${this.#log}`);
  }
}
