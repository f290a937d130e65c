import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { decodeTrace } from "../../src/trace/decode.ts";
import { linesOf } from "../../src/trace/lines.ts";
import { WASP } from "./binary.ts";

/** Running process of the compiled `wasp trace record`, with its recording on standard output. */
export class RunningTrace implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #snapshots: AsyncGenerator<Snapshot, void, void>;
  /** Problems of the recording that do not make it unreadable. */
  readonly notes: string[] = [];

  constructor(flags: readonly string[], env: Record<string, string> = {}) {
    const command = [WASP, "trace", "record", ...flags];
    this.#process = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", env });
    const listener = { onNote: (note: string) => this.notes.push(note) };
    this.#snapshots = decodeTrace(linesOf(this.#process.stdout), listener);
  }

  /** Waits for a matching snapshot; throws if the recording ends without one. */
  async until(matches: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    for (;;) {
      const { value } = await this.#snapshots.next();
      if (value === undefined) throw new Error(`the recording ended: ${await this.#process.stderr.text()}`);
      if (matches(value)) return value;
    }
  }

  /** Sends it a signal, and returns its exit status and its standard error. */
  async stop(signal: NodeJS.Signals): Promise<{ exitCode: number | null; stderr: string }> {
    this.#process.kill(signal);
    for await (const _ of this.#snapshots);
    const stderr = await this.#process.stderr.text();
    await this.#process.exited;
    return { exitCode: this.#process.exitCode, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}
