import { WASP } from "./binary.ts";

/** A line of the agent's log. */
export type LogEntry = { readonly event: string; readonly level: string } & Readonly<Record<string, unknown>>;

/** The compiled `wasp agent` at work, with what it logs. */
export class RunningAgent implements AsyncDisposable {
  /** All that it has logged. */
  readonly log: LogEntry[] = [];
  /** What it wrote to standard error. */
  stderr = "";
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #reading: Promise<unknown>;
  #wake = () => {};

  /** Starts it with these flags; `under` is a command that runs it in its own place. */
  constructor(
    flags: readonly string[],
    env: Record<string, string> = {},
    under: readonly string[] = [],
    binary = WASP,
  ) {
    const command = [...under, binary, "agent", "--log-format=Json", ...flags];
    this.#process = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", env });
    this.#reading = Promise.all([this.#readLog(), this.#readErrors()]);
    void this.#process.exited.then(() => this.#wake());
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Waits until something is so, looking whenever the agent logs; throws when it ends before, with what it said. */
  async until(isSo: () => boolean, what = "what was awaited"): Promise<void> {
    while (!isSo()) {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) throw this.#ended(what);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // Not all that is awaited is logged.
        setTimeout(resolve, 20);
      });
    }
  }

  /** Waits for an event, of which there may be some already, and returns the first that fits. */
  async event(name: string, fits: (entry: LogEntry) => boolean = () => true): Promise<LogEntry> {
    const find = () => this.log.find((entry) => entry.event === name && fits(entry));
    await this.until(() => find() !== undefined, name);
    return find() as LogEntry;
  }

  /** All events of a name. */
  events(name: string): LogEntry[] {
    return this.log.filter(({ event }) => event === name);
  }

  /** Asks its HTTP endpoint for a path. */
  async get(path: string): Promise<Response> {
    const { port } = await this.event("http-listening");
    return await fetch(`http://127.0.0.1:${port}${path}`);
  }

  /** Reads the value of a series, `name{label="value"}`, from its metrics; undefined when there is no such series. */
  async metric(series: string): Promise<number | undefined> {
    const text = await (await this.get("/metrics")).text();
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length));
  }

  /** Waits until it has looked at all containers so many more times. */
  async passes(times: number): Promise<void> {
    const count = async () => (await this.metric("wasp_reconcile_duration_seconds_count")) ?? 0;
    const before = await count();
    while ((await count()) < before + times) await Bun.sleep(20);
  }

  /** Waits until it ends by itself, and returns its exit status. */
  async ended(): Promise<number> {
    await this.#process.exited;
    await this.#reading;
    return this.#process.exitCode ?? -1;
  }

  /** Sends it a signal and waits for its end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    this.#process.kill(signal);
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }

  async #readLog(): Promise<void> {
    let rest = "";
    for await (const chunk of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.log.push(JSON.parse(line));
      this.#wake();
    }
  }

  async #readErrors(): Promise<void> {
    for await (const chunk of this.#process.stderr.pipeThrough(new TextDecoderStream())) this.stderr += chunk;
  }

  #ended(what: string): Error {
    const { exitCode, signalCode } = this.#process;
    const log = this.log.map((entry) => JSON.stringify(entry)).join("\n");
    return new Error(
      `the agent ended with ${exitCode ?? signalCode} before ${what}:\n${log}\n${this.stderr}`,
    );
  }
}
