import * as v from "valibot";

/** What the API server says of a request in place of an object: the `Status` of its meta API. */
export interface ApiStatus {
  readonly isFailure: boolean;
  /** As an HTTP status, 0 where none is told. */
  readonly code: number;
  readonly message: string;
  /** One word for programs: `Conflict`. Who denies a request by a webhook often leaves it out. */
  readonly reason: string | undefined;
  readonly causes: readonly ApiStatusCause[];
  readonly retryAfterSeconds: number | undefined;
}

/** One of the things that a Status is about. */
export interface ApiStatusCause {
  readonly reason: string;
  readonly message: string;
}

/** Decodes a Status; undefined when a text is none. */
export function decodeApiStatus(text: string): ApiStatus | undefined {
  // An object that was asked for may be large, and need not be parsed to see that it is none.
  if (!/"kind":\s*"Status"/.test(text)) return undefined;
  const result = v.safeParse(StatusSchema, text);
  if (!result.success) return undefined;
  const { status, code, message, reason, details } = result.output;
  return {
    isFailure: status === "Failure",
    code: code ?? 0,
    message: message ?? "",
    reason: reason || undefined,
    causes: (details?.causes ?? []).map((cause) => ({
      reason: cause.reason ?? "",
      message: cause.message ?? "",
    })),
    retryAfterSeconds: details?.retryAfterSeconds || undefined,
  };
}

const TextSchema = v.nullish(v.string());
const CountSchema = v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(0)));

const StatusSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    kind: v.literal("Status"),
    status: TextSchema,
    code: CountSchema,
    message: TextSchema,
    reason: TextSchema,
    details: v.nullish(
      v.object({
        causes: v.nullish(v.array(v.object({ reason: TextSchema, message: TextSchema }))),
        retryAfterSeconds: CountSchema,
      }),
    ),
  }),
);
