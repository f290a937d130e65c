/** The codes of google.rpc.Status that wasp gives. */
export const STATUS = { unknown: 2, invalidArgument: 3, resourceExhausted: 8, unimplemented: 12 } as const;

/** A reason to fail a request that has a code of its own; any other Error is `unknown`. */
export class StatusError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** What is said of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
