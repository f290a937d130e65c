import { PARTS, type Part } from "./part.ts";
import type { Step } from "./step.ts";

/** Plan of one part. It has all steps of the part, including those that the host has already. */
export interface PartPlan {
  readonly part: Part;
  /** In the order of execution. */
  readonly steps: readonly Step[];
  /** Reasons for changing nothing, of any part: the object, what is wrong with it, and the remedy. */
  readonly refusals: readonly string[];
  /** Notes for the administrator, including what has to be done by hand. */
  readonly notes: readonly string[];
}

/** Returns the plan of a part with these steps, refusals and notes, and no others. */
export function partPlan(part: Part, content: Partial<Omit<PartPlan, "part">>): PartPlan {
  return { part, steps: [], refusals: [], notes: [], ...content };
}

/** Plan of an installation on a host. */
export interface Plan {
  /** In the order of PARTS. */
  readonly parts: readonly PartPlan[];
}

/** Combines the plans of parts, in the order of PARTS. */
export function compose(parts: readonly PartPlan[]): Plan {
  return { parts: [...parts].sort((a, b) => PARTS.indexOf(a.part) - PARTS.indexOf(b.part)) };
}

/** Returns all steps of a plan in order. */
export function stepsOf({ parts }: Plan): readonly Step[] {
  return parts.flatMap(({ steps }) => steps);
}

/** Returns all refusals of a plan; none if it can be applied. */
export function refusalsOf({ parts }: Plan): readonly string[] {
  return parts.flatMap(({ refusals }) => refusals);
}
