import type { V1Status, V1StatusCause, V1StatusDetails } from "@kubernetes/client-node";
import * as v from "valibot";
import type { FieldSchemas } from "./kubernetes-json.ts";

/** Outcome of a request that the API server returns in place of an object: the `Status` of its meta API. */
export interface ApiStatus {
  readonly isFailure: boolean;
  /** HTTP status, 0 where the Status has none. */
  readonly code: number;
  readonly message: string;
  /** One word for programs: `Conflict`. Denials of admission webhooks often lack it. */
  readonly reason: string | undefined;
  readonly causes: readonly ApiStatusCause[];
  readonly retryAfterSeconds: number | undefined;
}

/** One of the causes in the details of a Status. */
export interface ApiStatusCause {
  readonly reason: string;
  readonly message: string;
}

/** Decodes a Status; undefined if the text is not one. */
export function decodeApiStatus(text: string): ApiStatus | undefined {
  // A requested object may be large: it is not parsed only to find that it is no Status.
  if (!/"kind":\s*"Status"/.test(text)) return undefined;
  const result = v.safeParse(StatusSchema, text);
  if (!result.success) return undefined;
  const { status, code, message, reason, details } = result.output;
  return {
    isFailure: status === "Failure",
    ...{ code, message },
    reason: reason || undefined,
    causes: details?.causes ?? [],
    retryAfterSeconds: details?.retryAfterSeconds || undefined,
  };
}

const TextSchema = v.nullish(v.string(), "");
const CountSchema = v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0);

const CauseSchema = v.object({
  reason: TextSchema,
  message: TextSchema,
} satisfies FieldSchemas<V1StatusCause>);

const DetailsSchema = v.object({
  causes: v.nullish(v.array(CauseSchema)),
  retryAfterSeconds: CountSchema,
} satisfies FieldSchemas<V1StatusDetails>);

const StatusSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    kind: v.literal("Status"),
    status: TextSchema,
    code: CountSchema,
    message: TextSchema,
    reason: TextSchema,
    details: v.nullish(DetailsSchema),
  } satisfies FieldSchemas<V1Status>),
);
