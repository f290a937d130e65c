/** Codes of google.rpc.Status in wasp's answers. */
export const STATUS = { unknown: 2, invalidArgument: 3, resourceExhausted: 8, unimplemented: 12 } as const;

/** Error that fails a request with its own code; any other Error has the code `unknown`. */
export class StatusError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Returns the message of a thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
