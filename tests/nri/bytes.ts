import fc from "fast-check";

/** Bytes of any length up to a maximum, each with its position as its value. */
export function someBytes(maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.nat({ max: maxLength }), fc.nat({ max: 255 }))
    .map(([length, first]) => Uint8Array.from({ length }, (_, at) => first + at + (at >> 8)));
}

/** Cuts bytes into pieces of the given lengths, which are repeated. */
export function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Math.max(lengths[pieces.length % lengths.length] ?? bytes.length, 1);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
