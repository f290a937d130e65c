const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/** Place in a piece of JSON text at which the search for the end of a string stopped. */
export interface StringEnd {
  /** Index of the closing quote; the length of the piece if the string goes on. */
  readonly at: number;
  /** True if the next piece begins with an escaped character. */
  readonly isEscaped: boolean;
}

/** Finds the end of the string that a piece of JSON text continues at `from`; `isEscaped` is that of the piece before. */
export function endOfString(piece: Uint8Array, from: number, isEscaped: boolean): StringEnd {
  const start = isEscaped ? from + 1 : from;
  // By indexOf, because one string of a pod may have a million bytes.
  for (let at = piece.indexOf(QUOTE, start); at !== -1; at = piece.indexOf(QUOTE, at + 1))
    if (backslashesBefore(piece, at, start) % 2 === 0) return { at, isEscaped: false };
  const isCut = start > piece.length || backslashesBefore(piece, piece.length, start) % 2 === 1;
  return { at: piece.length, isEscaped: isCut };
}

function backslashesBefore(piece: Uint8Array, end: number, start: number): number {
  let at = end;
  while (at > start && piece[at - 1] === BACKSLASH) at -= 1;
  return end - at;
}
