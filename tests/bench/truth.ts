import * as v from "valibot";
import { parse } from "yaml";
import type { Decision } from "./rules.ts";

/** Time from the start of harm within which a decision is due, in seconds; ten of them are the grace period. */
export const DUE_SECONDS = 15;

const PodNameSchema = v.pipe(v.string(), v.regex(/^[^/]+\/[^/]+$/, "not namespace/name"));

const TruthSchema = v.variant("harmful", [
  v.strictObject({ harmful: v.literal(false), note: v.string() }),
  v.strictObject({
    harmful: v.literal(true),
    fromSeconds: v.pipe(v.number(), v.minValue(0)),
    /** Each of them is a right victim. */
    victim: v.union([PodNameSchema, v.pipe(v.array(PodNameSchema), v.nonEmpty())]),
    note: v.string(),
  }),
]);

/**
 * Truth about a recording: whether and when it becomes harmful, the responsible pods, and the source of that knowledge.
 */
export type Truth = v.InferOutput<typeof TruthSchema>;

/** Parses the truth about a recording from YAML; throws an Error that names what is wrong. */
export function parseTruth(text: string): Truth {
  const result = v.safeParse(TruthSchema, parse(text));
  if (result.success) return result.output;
  throw new Error(
    result.issues.map((issue) => `${v.getDotPath(issue) ?? "truth"}: ${issue.message}`).join("; "),
  );
}

/** Result of a rule on a recording. */
export interface Judgement {
  /** `quiet` without harm and without a decision; `false` for a decision without harm, or before it. */
  readonly outcome: "detected" | "late" | "missed" | "false" | "quiet";
  readonly victim: "right" | "wrong" | undefined;
  /** Time from the start of harm to the decision. */
  readonly seconds: number | undefined;
}

/** Compares a rule's first decision with the truth. */
export function judge(truth: Truth, decision: Decision | undefined): Judgement {
  const none = { victim: undefined, seconds: undefined };
  if (!truth.harmful) return { outcome: decision === undefined ? "quiet" : "false", ...none };
  if (decision === undefined) return { outcome: "missed", ...none };
  const seconds = decision.atSeconds - truth.fromSeconds;
  const victim = [truth.victim].flat().includes(decision.victim ?? "") ? "right" : "wrong";
  if (seconds < 0) return { outcome: "false", victim, seconds };
  return { outcome: seconds > DUE_SECONDS ? "late" : "detected", victim, seconds };
}
