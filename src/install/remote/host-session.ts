import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { LineSplitter } from "../../text/lines.ts";
import { type Arch, archOf, type Executable } from "./executables.ts";
import { exitStatusOf, type Phase, reasonOf } from "./failure.ts";
import type { Activity, HostOutcome } from "./outcome.ts";
import { connect, ended, type Ssh, terminate } from "./ssh.ts";
import { Transcript } from "./transcript.ts";

/** Options that all sessions of a run share. */
export interface SessionOptions {
  readonly ssh: string;
  /** Command line for the login shell, and the prefix of its script's protocol lines. */
  readonly command: string;
  readonly mark: string;
  /** Throws if there is none for the architecture. */
  readonly executableFor: (arch: Arch) => Promise<Executable>;
  readonly connectSeconds: number;
  readonly timeoutSeconds: number;
  readonly stop: AbortSignal;
}

/**
 * Runs wasp on one host over one connection and reports each activity. Errors on the host do not throw: they are its
 * outcome.
 */
export async function runOnHost(
  host: string,
  options: SessionOptions,
  onActivity: (activity: Activity) => void,
): Promise<HostOutcome> {
  const { stop, timeoutSeconds } = options;
  const startedAt = performance.now();
  const session = new SshSession(host, options, onActivity);
  const onStop = () => session.abort("stopped", "stopped");
  const onTimeout = () => session.abort("failed", `timed out after ${timeoutSeconds} s`);
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

class SshSession {
  readonly #host: string;
  readonly #options: SessionOptions;
  readonly #onActivity: (activity: Activity) => void;
  readonly #ssh: Ssh;
  readonly #transcript = new Transcript();
  #phase: Phase = "connecting";
  #arch: Arch | undefined;
  #executable: Executable | undefined;
  #ending: { readonly result: "failed" | "stopped"; readonly reason: string } | undefined;

  constructor(host: string, options: SessionOptions, onActivity: (activity: Activity) => void) {
    this.#host = host;
    this.#options = options;
    this.#onActivity = onActivity;
    onActivity({ is: "connecting" });
    this.#ssh = connect({ ...options, destination: host });
  }

  /** Handles all output until ssh exits, and returns the outcome. */
  async outcome(): Promise<Omit<HostOutcome, "seconds">> {
    const endStdout = readLines(this.#ssh.stdout, (line) => this.#read(line));
    const endStderr = readLines(this.#ssh.stderr, (line) => this.#transcript.add("stderr", line));
    // A broken pipe is ignored: the exit of ssh has the reason.
    this.#ssh.stdin.on("error", () => {});
    this.#ssh.on("error", this.#fail);
    const exitCode = await ended(this.#ssh);
    endStdout();
    endStderr();
    return this.#conclude(exitCode);
  }

  /** Aborts the session, unless it is ending already; the phase completes the reason. */
  abort(result: "failed" | "stopped", what: string): void {
    const where: Partial<Record<Phase, string>> = {
      running: "while wasp was running, so its work may be incomplete: run it again",
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
    const host = this.#host;
    const output = this.#transcript.lines();
    const arch = this.#arch === undefined ? {} : { arch: this.#arch };
    if (this.#ending !== undefined) return { host, ...this.#ending, ...arch, output };
    const ending = { exitCode, phase: this.#phase, output };
    const exitStatus = exitStatusOf(ending);
    if (exitStatus === 0) return { host, result: "done", ...arch, exitStatus, output };
    const status = exitStatus === undefined ? {} : { exitStatus };
    return { host, result: "failed", reason: reasonOf(host, ending), ...arch, ...status, output };
  }

  /** Handles a line of standard output: a protocol line of the script, or a line for the transcript. */
  #read(line: string): void {
    // Not only at the beginning of a line: the greeting of a login shell may lack its line end.
    const at = this.#phase === "running" ? -1 : line.indexOf(`${this.#options.mark} `);
    const [, word, machine = ""] = at < 0 ? [] : line.slice(at).split(" ");
    if (word === undefined) this.#transcript.add("stdout", line);
    else if (word === "sudo") this.#phase = "sudo";
    // Accepted only in this order, whatever the host sends.
    else if (word === "ready" && this.#arch === undefined) this.#announce(machine).catch(this.#fail);
    else if (word === "send" && this.#phase === "preparing") this.#send().catch(this.#fail);
    else if (word === "running" && this.#executable !== undefined) this.#run();
  }

  async #announce(machine: string): Promise<void> {
    this.#phase = "preparing";
    this.#arch = archOf(machine);
    if (this.#arch === undefined)
      throw new Error(`its architecture is ${machine}: wasp is built for x64 and arm64`);
    this.#executable = await this.#options.executableFor(this.#arch);
    this.#ssh.stdin.write(`${this.#executable.digest} ${this.#executable.sizeBytes}\n`);
  }

  async #send(): Promise<void> {
    if (this.#executable === undefined) return;
    this.#phase = "copying";
    const { path, sizeBytes: totalBytes } = this.#executable;
    let sentBytes = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      this.#onActivity({ is: "copying", sentBytes, totalBytes });
      const fault = await new Promise((resolve) => this.#ssh.stdin.write(chunk, resolve));
      if (fault) return;
      sentBytes += chunk.length;
    }
  }

  #run(): void {
    this.#phase = "running";
    // Until here it is output of ssh and the login shell.
    this.#transcript.clear();
    this.#onActivity({ is: "running" });
  }
}
