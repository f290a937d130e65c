import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { WASP } from "./binary.ts";

/** Line of a log. */
export type LogEntry = { readonly event: string; readonly level: string } & Readonly<Record<string, unknown>>;

/** Running command of the compiled executable, with its log. */
export class RunningWasp implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"ignore", number, number>;
  readonly #folder = mkdtempSync(`${tmpdir()}/wasp-running-`);
  // A file, not a pipe: lines that were logged before an effect can be read as soon as the effect is visible.
  readonly #logFile = openSync(`${this.#folder}/log`, "a+");
  // A file too: the end of a pipe from a killed process is not always reported to its reader.
  readonly #errorFile = openSync(`${this.#folder}/errors`, "a+");
  readonly #entries: LogEntry[] = [];
  #readBytes = 0;

  /** Starts a command with its flags; `under` is another command that executes it, such as `unshare`. */
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

  /** All lines of its log so far. */
  get log(): readonly LogEntry[] {
    const buffer = Buffer.alloc(256 * 1024);
    for (;;) {
      const length = readSync(this.#logFile, buffer, 0, buffer.length, this.#readBytes);
      // The last line may be incomplete.
      const end = buffer.subarray(0, length).lastIndexOf("\n") + 1;
      if (end === 0) return this.#entries;
      this.#readBytes += end;
      const lines = buffer.toString("utf8", 0, end - 1).split("\n");
      this.#entries.push(...lines.map((line) => JSON.parse(line)));
    }
  }

  /** Its standard error. */
  get stderr(): string {
    return readFileSync(`${this.#folder}/errors`, "utf8");
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Waits for a condition by polling; throws if the process ends before, with its log and standard error. */
  async until(condition: () => boolean, what = "the condition was met"): Promise<void> {
    while (!condition()) {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) throw this.#ended(what);
      await Bun.sleep(10);
    }
  }

  /** Waits for a matching event, which may already be logged, and returns the first one. */
  async event(name: string, matches: (entry: LogEntry) => boolean = () => true): Promise<LogEntry> {
    const find = () => this.log.find((entry) => entry.event === name && matches(entry));
    await this.until(() => find() !== undefined, name);
    return find() as LogEntry;
  }

  /** Returns all events of a name. */
  events(name: string): LogEntry[] {
    return this.log.filter(({ event }) => event === name);
  }

  /** Waits until it ends, and returns its exit status. */
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
