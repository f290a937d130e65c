// A first sample of a thousand containers is a quarter of a MiB, a list of as many pods one or two.
const MAX_LINE_CHARACTERS = 16 * 2 ** 20;

/** Reads a recording's bytes as lines, the last of which may have no end; fails with an Error at one that is no wasp's. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let number = 1;
  let rest = "";
  for await (const piece of bytes) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      yield line;
      number += 1;
    }
    if (rest.length > MAX_LINE_CHARACTERS)
      throw new Error(`line ${number}: it is longer than ${MAX_LINE_CHARACTERS} characters`);
  }
  if (rest !== "") yield rest;
}
