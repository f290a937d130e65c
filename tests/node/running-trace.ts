import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { decodeTrace } from "../../src/trace/decode.ts";
import { linesOf } from "../../src/trace/lines.ts";
import { WASP } from "./binary.ts";

/** The compiled `wasp trace record` at work, whose recording comes on its standard output. */
export class RunningTrace implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #snapshots: AsyncGenerator<Snapshot, void, void>;
  /** What was wrong with the recording, but no reason to refuse it. */
  readonly notes: string[] = [];

  constructor(flags: readonly string[], env: Record<string, string> = {}) {
    const command = [WASP, "trace", "record", ...flags];
    this.#process = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", env });
    const listener = { onNote: (note: string) => this.notes.push(note) };
    this.#snapshots = decodeTrace(linesOf(this.#process.stdout), listener);
  }

  /** Waits for a snapshot that fits, and throws when the recording ends without one. */
  async until(fits: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    for (;;) {
      const { value } = await this.#snapshots.next();
      if (value === undefined) throw new Error(`the recording ended: ${await this.#process.stderr.text()}`);
      if (fits(value)) return value;
    }
  }

  /** Sends it a signal, and returns its exit status and what it said. */
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
