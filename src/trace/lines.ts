import { LineSplitter } from "../text/lines.ts";

// A first sample of a thousand containers is a quarter of a MiB, a list of as many pods one or two.
const MAX_LINE_BYTES = 16 * 2 ** 20;

/** Splits a recording's bytes into lines, the last of which may lack its newline; fails with an Error at one that is too long. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  for await (const chunk of bytes) yield* splitter.push(chunk);
  yield* splitter.end();
}
