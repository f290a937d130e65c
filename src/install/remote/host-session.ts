import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { LineSplitter } from "../../text/lines.ts";
import { type Arch, archOf, type Program } from "./executables.ts";
import { exitStatusOf, type Phase, reasonOf } from "./failure.ts";
import type { Host } from "./hosts.ts";
import type { Activity, HostOutcome } from "./outcome.ts";
import { connect, ended, type Ssh, terminate } from "./ssh.ts";
import { Transcript } from "./transcript.ts";

/** What is the same for all hosts. */
export interface SessionOptions {
  readonly ssh: string;
  /** What the host's login shell runs, and what the script in it begins its own lines with. */
  readonly command: string;
  readonly mark: string;
  /** Throws where there is none for the architecture. */
  readonly programFor: (arch: Arch) => Promise<Program>;
  readonly connectSeconds: number;
  readonly timeoutSeconds: number;
  readonly stop: AbortSignal;
}

/**
 * Runs wasp on one host over one connection, and tells what is being done meanwhile. Never throws for what goes wrong
 * on a host: that is its outcome.
 */
export async function runOnHost(
  host: Host,
  options: SessionOptions,
  tell: (activity: Activity) => void,
): Promise<HostOutcome> {
  const { stop, timeoutSeconds } = options;
  const startedAt = performance.now();
  const session = new Session(host, options, tell);
  const onStop = () => session.cut("stopped", "stopped");
  const onTimeout = () => session.cut("failed", `not done after ${timeoutSeconds} s: stopped`);
  const timer = setTimeout(onTimeout, timeoutSeconds * 1000);
  stop.addEventListener("abort", onStop);
  const outcome = await session.outcome();
  clearTimeout(timer);
  stop.removeEventListener("abort", onStop);
  return { ...outcome, seconds: (performance.now() - startedAt) / 1000 };
}

const MAX_LINE_BYTES = 1 << 16;

/** Calls `onLine` with each line of a stream; returns the function that takes what is left when the stream is over. */
function readLines(stream: Readable, onLine: (line: string) => void): () => void {
  const splitter = new LineSplitter(MAX_LINE_BYTES, "cut");
  const takeAll = (lines: readonly string[]) => {
    for (const line of lines) onLine(line.replace(/\r$/, ""));
  };
  stream.on("data", (bytes: Uint8Array) => takeAll(splitter.push(bytes)));
  return () => takeAll(splitter.end());
}

class Session {
  readonly #host: Host;
  readonly #options: SessionOptions;
  readonly #tell: (activity: Activity) => void;
  readonly #ssh: Ssh;
  readonly #transcript = new Transcript();
  #phase: Phase = "connecting";
  #arch: Arch | undefined;
  #program: Program | undefined;
  #ending: { readonly result: "failed" | "stopped"; readonly reason: string } | undefined;

  constructor(host: Host, options: SessionOptions, tell: (activity: Activity) => void) {
    this.#host = host;
    this.#options = options;
    this.#tell = tell;
    tell({ is: "connecting" });
    this.#ssh = connect({ ...options, destination: host.destination });
  }

  /** Reads all that comes, and tells how it ended. */
  async outcome(): Promise<Omit<HostOutcome, "seconds">> {
    const endStdout = readLines(this.#ssh.stdout, (line) => this.#read(line));
    const endStderr = readLines(this.#ssh.stderr, (line) => this.#transcript.add("stderr", line));
    // A broken pipe: how ssh ended tells more.
    this.#ssh.stdin.on("error", () => {});
    this.#ssh.on("error", this.#fail);
    const exitCode = await ended(this.#ssh);
    endStdout();
    endStderr();
    return this.#conclude(exitCode);
  }

  /** Ends it from here, unless that is done already; what is said of it is completed by where it was. */
  cut(result: "failed" | "stopped", what: string): void {
    const where: Partial<Record<Phase, string>> = {
      running: "while wasp ran there, which may be half done: run it again",
      copying: "while copying",
    };
    this.#end(result, `${what} ${where[this.#phase] ?? "while connecting"}`);
  }

  readonly #fail = ({ message }: Error) => this.#end("failed", message);

  #end(result: "failed" | "stopped", reason: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = { result, reason };
    terminate(this.#ssh);
  }

  #conclude(exitCode: number | null): Omit<HostOutcome, "seconds"> {
    const host = this.#host.destination;
    const output = this.#transcript.lines();
    const arch = this.#arch === undefined ? {} : { arch: this.#arch };
    if (this.#ending !== undefined) return { host, ...this.#ending, ...arch, output };
    const ending = { exitCode, phase: this.#phase, output };
    const exitStatus = exitStatusOf(ending);
    if (exitStatus === 0) return { host, result: "done", ...arch, exitStatus, output };
    const status = exitStatus === undefined ? {} : { exitStatus };
    return { host, result: "failed", reason: reasonOf(host, ending), ...arch, ...status, output };
  }

  /** Reads a line of standard output: one of the script's own, or one for whoever reads the outcome. */
  #read(line: string): void {
    // Not only at its beginning: a login shell's greeting may lack its end of line.
    const at = this.#phase === "running" ? -1 : line.indexOf(`${this.#options.mark} `);
    const [, word, machine = ""] = at < 0 ? [] : line.slice(at).split(" ");
    if (word === undefined) this.#transcript.add("stdout", line);
    else if (word === "sudo") this.#phase = "sudo";
    // Each in its turn, whatever the host sends.
    else if (word === "ready" && this.#arch === undefined) this.#announce(machine).catch(this.#fail);
    else if (word === "send" && this.#phase === "preparing") this.#send().catch(this.#fail);
    else if (word === "running" && this.#program !== undefined) this.#run();
  }

  async #announce(machine: string): Promise<void> {
    this.#phase = "preparing";
    this.#arch = archOf(machine);
    if (this.#arch === undefined)
      throw new Error(`its architecture is ${machine}: wasp is there for x64 and arm64`);
    this.#program = await this.#options.programFor(this.#arch);
    this.#ssh.stdin.write(`${this.#program.digest} ${this.#program.sizeBytes}\n`);
  }

  async #send(): Promise<void> {
    if (this.#program === undefined) return;
    this.#phase = "copying";
    const { path, sizeBytes: totalBytes } = this.#program;
    let sentBytes = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      this.#tell({ is: "copying", sentBytes, totalBytes });
      const fault = await new Promise((resolve) => this.#ssh.stdin.write(chunk, resolve));
      if (fault) return;
      sentBytes += chunk.length;
    }
  }

  #run(): void {
    this.#phase = "running";
    // So far it is what ssh and the login shell had to say.
    this.#transcript.clear();
    this.#tell({ is: "running" });
  }
}
