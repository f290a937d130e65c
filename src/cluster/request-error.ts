import type { ApiStatus } from "./api-status.ts";

/** Reasons for the failure of a request to a server of the cluster. */
export type RequestErrorKind =
  /** No connection, or one that was lost. */
  | "unreachable"
  | "timeout"
  /** No valid token, or one that the server does not accept. */
  | "unauthorized"
  /** The token's account lacks a permission. */
  | "forbidden"
  /** The server's certificate is not trusted, or the file of trusted certificates is invalid. */
  | "tls"
  /** The response could not be decoded. */
  | "malformed"
  | "too-large"
  /** Any other HTTP status. */
  | "status";

/** Response of a server that refused a request. */
export interface Refusal {
  /** HTTP status, or the code of an error within a watch. */
  readonly status: number;
  /** Time for which the server wants no further request. */
  readonly retryAfterSeconds?: number | undefined;
  /** Status object of the API server; undefined if the response has another form. */
  readonly apiStatus?: ApiStatus | undefined;
}

/** Failure of a request; the message is for humans and never contains the token. */
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

/** Returns true if the server would refuse a repeated request too, as for a lack of permission. */
export function isFinal(error: unknown): boolean {
  if (!(error instanceof RequestError)) return true;
  if (error.kind === "unreachable" || error.kind === "timeout") return false;
  const status = error.refusal?.status;
  return status === undefined || (status < 500 && status !== 409 && status !== 429);
}
