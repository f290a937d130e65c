import type { LogEntry } from "../node/running-wasp.ts";
import type { Guest } from "./guest.ts";
import { GuestService } from "./guest-service.ts";

const port = 9809;
const patienceSeconds = 10;

/** `wasp agent` at work on the node, as a unit of systemd. */
export class GuestAgent implements AsyncDisposable {
  readonly #guest: Guest;
  readonly #service: GuestService;

  private constructor(guest: Guest, service: GuestService) {
    this.#guest = guest;
    this.#service = service;
  }

  /** Starts it and waits until it is ready. */
  static async start(guest: Guest, flags: readonly string[]): Promise<GuestAgent> {
    const service = await GuestService.start(guest, "wasp-agent", "agent", [`--http-port=${port}`, ...flags]);
    await service.event("agent-ready");
    return new GuestAgent(guest, service);
  }

  /** All that it has logged. */
  async log(): Promise<LogEntry[]> {
    return await this.#service.log();
  }

  /** All events of a name. */
  async events(name: string): Promise<LogEntry[]> {
    return await this.#service.events(name);
  }

  /** Waits for an event, of which there may be some already, and returns the first that fits. */
  async event(name: string, fits?: (entry: LogEntry) => boolean, seconds?: number): Promise<LogEntry> {
    return await this.#service.event(name, fits, seconds);
  }

  /** Its metrics, in Prometheus' text format. */
  async metrics(): Promise<string> {
    return await this.#guest.must(`busybox wget -qO- http://127.0.0.1:${port}/metrics`);
  }

  /** Waits until the value of a series is as it should be. */
  async untilMetric(
    series: string,
    isRight: (value: number) => boolean,
    seconds = patienceSeconds,
  ): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!isRight(await this.metric(series))) {
      if (Date.now() > deadline) throw new Error(`${series} is ${await this.metric(series)} still`);
      await Bun.sleep(100);
    }
  }

  /** The value of a series, `name` or `name{label="value"}`. */
  async metric(series: string): Promise<number> {
    const metrics = await this.metrics();
    const line = metrics.split("\n").find((candidate) => candidate.startsWith(`${series} `));
    if (line === undefined) throw new Error(`no ${series} in:\n${metrics}`);
    return Number(line.slice(series.length));
  }

  /** The processor time that it has used so far. */
  async processorSeconds(): Promise<number> {
    return Number(await this.#service.property("CPUUsageNSec")) / 1e9;
  }

  /** The memory that it has at this moment, shared files included, in bytes. */
  async residentBytes(): Promise<number> {
    const status = await this.#guest.must(`cat /proc/${await this.#service.property("MainPID")}/status`);
    return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]) * 1024;
  }

  /** Kills it, as the kernel would for want of memory. */
  async kill(): Promise<void> {
    await this.#service.kill();
  }

  /** Has systemd stop it, if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service[Symbol.asyncDispose]();
  }
}
