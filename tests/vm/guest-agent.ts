import type { LogEntry } from "../node/running-wasp.ts";
import { ifHolds, retried } from "./deadline.ts";
import type { Guest } from "./guest.ts";
import { GuestService } from "./guest-service.ts";

const PORT = 9809;
const PATIENCE_SECONDS = 30;

/** `wasp agent` on the node, as a systemd unit. */
export class GuestAgent implements AsyncDisposable {
  readonly #guest: Guest;
  readonly #service: GuestService;

  private constructor(guest: Guest, service: GuestService) {
    this.#guest = guest;
    this.#service = service;
  }

  /** Starts the agent and waits until it is ready. */
  static async start(guest: Guest, flags: readonly string[]): Promise<GuestAgent> {
    const service = await GuestService.start(guest, "wasp-agent", "agent", [`--http-port=${PORT}`, ...flags]);
    await service.event("agent-ready");
    return new GuestAgent(guest, service);
  }

  /** Returns all log entries. */
  async log(): Promise<LogEntry[]> {
    return await this.#service.log();
  }

  /** Returns all entries of an event. */
  async events(name: string): Promise<LogEntry[]> {
    return await this.#service.events(name);
  }

  /** Waits for an entry of an event that satisfies a condition, and returns the first, which may be an old one. */
  async event(name: string, fits?: (entry: LogEntry) => boolean, seconds?: number): Promise<LogEntry> {
    return await this.#service.event(name, fits, seconds);
  }

  /** Returns the metrics in Prometheus' text format. */
  async metrics(): Promise<string> {
    return await this.#guest.must(`busybox wget -qO- http://127.0.0.1:${PORT}/metrics`);
  }

  /** Waits until the value of a series satisfies a condition. */
  async untilMetric(
    series: string,
    isRight: (value: number) => boolean,
    seconds = PATIENCE_SECONDS,
  ): Promise<void> {
    await retried(
      seconds,
      async () => ifHolds(isRight(await this.metric(series))),
      async () => `${series} is still ${await this.metric(series)}`,
    );
  }

  /** Returns the value of a series, `name` or `name{label="value"}`. */
  async metric(series: string): Promise<number> {
    const metrics = await this.metrics();
    const line = metrics.split("\n").find((candidate) => candidate.startsWith(`${series} `));
    if (line === undefined) throw new Error(`no ${series} in:\n${metrics}`);
    return Number(line.slice(series.length));
  }

  /** Returns the processor time used so far. */
  async processorSeconds(): Promise<number> {
    return Number(await this.#service.property("CPUUsageNSec")) / 1e9;
  }

  /** Returns the resident memory in bytes, with shared file pages. */
  async residentBytes(): Promise<number> {
    const status = await this.#guest.must(`cat /proc/${await this.#service.property("MainPID")}/status`);
    return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]) * 1024;
  }

  /** Kills the agent, as the OOM killer would. */
  async kill(): Promise<void> {
    await this.#service.kill();
  }

  /** Stops the agent, if it is still running. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service[Symbol.asyncDispose]();
  }
}
