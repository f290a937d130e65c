import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { WASP } from "./binary.ts";

/** A line of a log. */
export type LogEntry = { readonly event: string; readonly level: string } & Readonly<Record<string, unknown>>;

/** A command of the compiled executable at work, with what it logs. */
export class RunningWasp implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"ignore", number, number>;
  readonly #folder = mkdtempSync(`${tmpdir()}/wasp-running-`);
  // A file, not a pipe: what was logged before anything else was done is there when that is seen.
  readonly #logFile = openSync(`${this.#folder}/log`, "a+");
  // A file too: the end of a pipe from one that was killed is not always told to whoever reads it.
  readonly #errorFile = openSync(`${this.#folder}/errors`, "a+");
  readonly #entries: LogEntry[] = [];
  #readBytes = 0;

  /** Starts it with its command and these flags; `under` is another program that runs it in its own place. */
  constructor(
    command: readonly string[],
    env: Record<string, string> = {},
    under: readonly string[] = [],
    binary = WASP,
  ) {
    this.#process = Bun.spawn([...under, binary, ...command], {
      stdin: "ignore",
      stdout: this.#logFile,
      stderr: this.#errorFile,
      env,
    });
  }

  /** All that it has logged. */
  get log(): readonly LogEntry[] {
    const buffer = Buffer.alloc(256 * 1024);
    for (;;) {
      const length = readSync(this.#logFile, buffer, 0, buffer.length, this.#readBytes);
      // The last line may not be whole yet.
      const end = buffer.subarray(0, length).lastIndexOf("\n") + 1;
      if (end === 0) return this.#entries;
      this.#readBytes += end;
      const lines = buffer.toString("utf8", 0, end - 1).split("\n");
      this.#entries.push(...lines.map((line) => JSON.parse(line)));
    }
  }

  /** What it wrote to standard error. */
  get stderr(): string {
    return readFileSync(`${this.#folder}/errors`, "utf8");
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Waits until something is so, looking again and again; throws when it ends before, with what it said. */
  async until(isSo: () => boolean, what = "what was awaited"): Promise<void> {
    while (!isSo()) {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) throw this.#ended(what);
      await Bun.sleep(10);
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

  /** Waits until it ends by itself, and returns its exit status. */
  async ended(): Promise<number> {
    await this.#process.exited;
    return this.#process.exitCode ?? -1;
  }

  /** Sends it a signal and waits for its end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    this.#process.kill(signal);
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    closeSync(this.#logFile);
    closeSync(this.#errorFile);
    rmSync(this.#folder, { recursive: true });
  }

  #ended(what: string): Error {
    const { exitCode, signalCode } = this.#process;
    const log = this.log.map((entry) => JSON.stringify(entry)).join("\n");
    return new Error(`wasp ended with ${exitCode ?? signalCode} before ${what}:\n${log}\n${this.stderr}`);
  }
}
