import { RunningWasp } from "./running-wasp.ts";

/** Running process of the compiled `wasp agent`, with its log. */
export class RunningAgent extends RunningWasp {
  /** Starts it with these flags; `under` is a command that executes it, such as `unshare`. */
  constructor(
    flags: readonly string[],
    env: Record<string, string> = {},
    under: readonly string[] = [],
    binary?: string,
  ) {
    super(["agent", "--log-format=Json", ...flags], env, under, binary);
  }

  /** Sends a GET for a path to its HTTP endpoint. */
  async get(path: string): Promise<Response> {
    const { port } = await this.event("http-listening");
    return await fetch(`http://127.0.0.1:${port}${path}`);
  }

  /** Reads the value of a series, `name{label="value"}`, from its metrics; undefined without that series. */
  async metric(series: string): Promise<number | undefined> {
    const text = await (await this.get("/metrics")).text();
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length));
  }

  /** Waits until it has reconciled all containers this many more times. */
  async passes(times: number): Promise<void> {
    const count = async () => (await this.metric("wasp_reconcile_duration_seconds_count")) ?? 0;
    const before = await count();
    while ((await count()) < before + times) await Bun.sleep(20);
  }
}
