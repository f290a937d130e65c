import type { ApiStatus } from "./api-status.ts";

/** Why a server of the cluster did not give what it was asked for. */
export type RequestErrorKind =
  /** No connection, or one that broke off. */
  | "unreachable"
  | "timeout"
  /** No usable token, or one that the server does not accept. */
  | "unauthorized"
  /** The token's account lacks a permission. */
  | "forbidden"
  /** Whoever answered could not show to be the server, or the file to know it by is no use. */
  | "tls"
  /** The answer is not what was asked for. */
  | "malformed"
  | "too-large"
  /** Any other HTTP status. */
  | "status";

/** What a server said besides its message. */
export interface Refusal {
  /** The HTTP status, or the code of an error within a watch. */
  readonly status: number;
  /** How long it wants to be left alone. */
  readonly retryAfterSeconds?: number | undefined;
  /** What the API server says in its own form; undefined when somebody answered in another. */
  readonly said?: ApiStatus | undefined;
}

/** A request that failed; the message is for humans and never holds the token. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly kind: RequestErrorKind;
  readonly refusal: Refusal | undefined;

  constructor(kind: RequestErrorKind, message: string, refusal?: Refusal) {
    super(message);
    this.kind = kind;
    this.refusal = refusal;
  }
}
