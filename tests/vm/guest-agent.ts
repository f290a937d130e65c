import type { LogEntry } from "../node/running-wasp.ts";
import { type Guest, quote } from "./guest.ts";

const unit = "wasp-agent.service";
const log = "/run/wasp-agent.log";
const port = 9809;
const patienceSeconds = 10;

/** `wasp agent` at work on the node, as a unit of systemd. */
export class GuestAgent implements AsyncDisposable {
  readonly #guest: Guest;

  private constructor(guest: Guest) {
    this.#guest = guest;
  }

  /** Starts it and waits until it is ready. */
  static async start(guest: Guest, flags: readonly string[]): Promise<GuestAgent> {
    const command = ["/usr/local/bin/wasp", "agent", "--log-format=Json", `--http-port=${port}`, ...flags];
    const outputs = ["StandardOutput", "StandardError"].map((name) => `--property=${name}=append:${log}`);
    await guest.must(
      `: > ${log}; systemd-run --quiet --collect --unit=${unit} ${outputs.join(" ")} ${command.map(quote).join(" ")}`,
    );
    const agent = new GuestAgent(guest);
    await agent.event("agent-ready");
    return agent;
  }

  /** All that it has logged. */
  async log(): Promise<LogEntry[]> {
    // The last line may not be whole yet, and what ends it before its time is said in plain words.
    const lines = (await this.#guest.must(`cat ${log}`)).split("\n").slice(0, -1);
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
      if (Date.now() > deadline) throw new Error(`no ${name} in:\n${await this.#guest.must(`cat ${log}`)}`);
      await Bun.sleep(100);
    }
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
    const nanoseconds = await this.#guest.must(`systemctl show --property=CPUUsageNSec --value ${unit}`);
    return Number(nanoseconds) / 1e9;
  }

  /** The memory that it has at this moment, shared files included, in bytes. */
  async residentBytes(): Promise<number> {
    const status = await this.#guest.must(
      `cat /proc/$(systemctl show --property=MainPID --value ${unit})/status`,
    );
    return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]) * 1024;
  }

  /** Kills it, as the kernel would for want of memory. */
  async kill(): Promise<void> {
    await this.#guest.must(
      `systemctl kill --signal=KILL ${unit}; while systemctl is-active --quiet ${unit}; do sleep 0.05; done`,
    );
  }

  /** Has systemd stop it, if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guest.must(`systemctl stop ${unit} 2> /dev/null || true; rm --force ${log}`);
  }
}
