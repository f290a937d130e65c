import * as v from "valibot";
import { parse } from "yaml";
import type { Decision } from "./rules.ts";

/** How soon after harm begins a decision is due, in seconds; ten of them are the grace period. */
export const DUE_SECONDS = 15;

const PodNameSchema = v.pipe(v.string(), v.regex(/^[^/]+\/[^/]+$/, "not namespace/name"));

const TruthSchema = v.variant("harmful", [
  v.strictObject({ harmful: v.literal(false), note: v.string() }),
  v.strictObject({
    harmful: v.literal(true),
    fromSeconds: v.pipe(v.number(), v.minValue(0)),
    /** Any of them is the right one. */
    victim: v.union([PodNameSchema, v.pipe(v.array(PodNameSchema), v.nonEmpty())]),
    note: v.string(),
  }),
]);

/** What is true of a recording: whether it harms, from when on, who is to blame, and how that is known. */
export type Truth = v.InferOutput<typeof TruthSchema>;

/** Reads what is true of a recording from YAML; throws an Error that names what is wrong. */
export function parseTruth(text: string): Truth {
  const result = v.safeParse(TruthSchema, parse(text));
  if (result.success) return result.output;
  throw new Error(
    result.issues.map((issue) => `${v.getDotPath(issue) ?? "truth"}: ${issue.message}`).join("; "),
  );
}

/** How a rule did on a recording. */
export interface Judgement {
  /** `quiet` where nothing was to be decided, and nothing was; `false` where harm was none, or not yet. */
  readonly outcome: "detected" | "late" | "missed" | "false" | "quiet";
  readonly victim: "right" | "wrong" | undefined;
  /** From harm to decision. */
  readonly seconds: number | undefined;
}

/** Holds a rule's first decision against the truth. */
export function judge(truth: Truth, decision: Decision | undefined): Judgement {
  const none = { victim: undefined, seconds: undefined };
  if (!truth.harmful) return { outcome: decision === undefined ? "quiet" : "false", ...none };
  if (decision === undefined) return { outcome: "missed", ...none };
  const seconds = decision.atSeconds - truth.fromSeconds;
  const victim = [truth.victim].flat().includes(decision.victim ?? "") ? "right" : "wrong";
  if (seconds < 0) return { outcome: "false", victim, seconds };
  return { outcome: seconds > DUE_SECONDS ? "late" : "detected", victim, seconds };
}
