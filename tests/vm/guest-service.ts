import type { LogEntry } from "../node/running-wasp.ts";
import { retried } from "./deadline.ts";
import { type Guest, quote } from "./guest.ts";

const PATIENCE_SECONDS = 30;

/** A wasp command that runs on the node as a systemd unit and logs in JSON. */
export class GuestService implements AsyncDisposable {
  readonly #guest: Guest;
  readonly #unit: string;
  readonly #log: string;

  private constructor(guest: Guest, name: string) {
    this.#guest = guest;
    this.#unit = `${name}.service`;
    this.#log = `/run/${name}.log`;
  }

  /** Starts the command as a unit of this name, which must be unique. */
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

  /** Returns all log entries. */
  async log(): Promise<LogEntry[]> {
    // The last line may be incomplete, and an error at the start is plain text.
    const lines = (await this.#guest.must(`cat ${this.#log}`)).split("\n").slice(0, -1);
    return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  /** Returns all entries of an event. */
  async events(name: string): Promise<LogEntry[]> {
    return (await this.log()).filter(({ event }) => event === name);
  }

  /** Waits for an entry of an event that satisfies a condition, and returns the first, which may be an old one. */
  async event(
    name: string,
    fits: (entry: LogEntry) => boolean = () => true,
    seconds = PATIENCE_SECONDS,
  ): Promise<LogEntry> {
    return await retried(
      seconds,
      async () => (await this.events(name)).find(fits),
      async () => `no ${name} in:\n${await this.#guest.must(`cat ${this.#log}`)}`,
    );
  }

  /** Returns a property of the unit, as systemd shows it. */
  async property(name: string): Promise<string> {
    return (await this.#guest.must(`systemctl show --property=${name} --value ${this.#unit}`)).trim();
  }

  /** Kills the command, as the OOM killer would. */
  async kill(): Promise<void> {
    await this.#guest.must(
      `systemctl kill --signal=KILL ${this.#unit}; while systemctl is-active --quiet ${this.#unit}; do sleep 0.05; done`,
    );
  }

  /** Stops the unit, if it is still running. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guest.must(`systemctl stop ${this.#unit} 2> /dev/null || true; rm --force ${this.#log}`);
  }
}
