/** QEMU's machine protocol (QMP), on the standard input and output of an emulator. */
import { retried } from "./deadline.ts";

type Emulator = Bun.Subprocess<"pipe", "pipe", number>;

interface Reply {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** Longest time for a snapshot to be written or read. */
const MIGRATION_SECONDS = 120;

/** Control of one emulator. */
export class Monitor {
  readonly #emulator: Emulator;
  readonly #lines: AsyncGenerator<string>;

  private constructor(emulator: Emulator) {
    this.#emulator = emulator;
    this.#lines = linesOf(emulator.stdout);
  }

  /** Takes control of an emulator; it reads commands only after this handshake. */
  static async open(emulator: Emulator): Promise<Monitor> {
    const monitor = new Monitor(emulator);
    await monitor.#nextLine();
    await monitor.#execute("qmp_capabilities");
    return monitor;
  }

  /** Loads a machine's memory and devices from a file, for an emulator started with `-incoming defer`, and runs it. */
  async load(file: string): Promise<void> {
    await this.#execute("migrate-incoming", { uri: `file:${file}` });
    await this.#untilMigrated();
    await this.#execute("cont");
  }

  /** Stops the machine, writes its memory and devices to a file, and ends the emulator. */
  async save(file: string): Promise<void> {
    await this.#execute("stop");
    await this.#execute("migrate", { uri: `file:${file}` });
    await this.#untilMigrated();
    await this.#execute("quit");
    await this.#emulator.exited;
  }

  async #untilMigrated(): Promise<void> {
    await retried(
      MIGRATION_SECONDS,
      async () => {
        const state = (await this.#execute("query-migrate")) as { status?: string; "error-desc"?: string };
        if (state.status === "failed") throw new Error(`QEMU: ${state["error-desc"]}`);
        return state.status === "completed" || undefined;
      },
      () => "QEMU has not completed the snapshot",
    );
  }

  async #execute(command: string, options: object = {}): Promise<unknown> {
    this.#emulator.stdin.write(`${JSON.stringify({ execute: command, arguments: options })}\n`);
    await this.#emulator.stdin.flush();
    for (;;) {
      // Events come in between.
      const reply = JSON.parse(await this.#nextLine()) as Reply;
      if (reply.error !== undefined) throw new Error(`QEMU refuses ${command}: ${reply.error.desc}`);
      if (reply.return !== undefined) return reply.return;
    }
  }

  async #nextLine(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("QEMU has ended");
    return value;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line.trim() !== "");
  }
}
