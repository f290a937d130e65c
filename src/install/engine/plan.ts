import { PARTS, type Part } from "./part.ts";
import type { Step } from "./step.ts";

/** What is to be done for one part; a part that is as it should be has its steps all the same. */
export interface PartPlan {
  readonly part: Part;
  /** In the order in which they are taken. */
  readonly steps: readonly Step[];
  /** Why it cannot be done: the thing, what is wrong and what would be right. With one, nothing of any part is done. */
  readonly refusals: readonly string[];
  /** What whoever installs should know or do by hand. */
  readonly notes: readonly string[];
}

/** What is to be done to a host. */
export interface Plan {
  /** In the order of PARTS. */
  readonly parts: readonly PartPlan[];
}

/** Makes one plan of the parts' plans, in the order of PARTS. */
export function compose(parts: readonly PartPlan[]): Plan {
  return { parts: [...parts].sort((a, b) => PARTS.indexOf(a.part) - PARTS.indexOf(b.part)) };
}

/** All steps of a plan in their order. */
export function stepsOf({ parts }: Plan): readonly Step[] {
  return parts.flatMap(({ steps }) => steps);
}

/** All reasons why a plan cannot be carried out; none if it can. */
export function refusalsOf({ parts }: Plan): readonly string[] {
  return parts.flatMap(({ refusals }) => refusals);
}
