import type { InstallOptions } from "../../policy/install/options.ts";
import type { Part } from "../../policy/install/part.ts";
import { compose, type PartPlan, type Plan } from "../../policy/install/plan.ts";
import type { Host } from "./host.ts";

/**
 * What makes a part's plan of what is on a host and what was chosen. A part has a reader of facts in this room
 * (`readSwapFacts(host, ...)`, which changes nothing and throws only where a file that is there cannot be read), and a
 * pure planner in policy/install (`planSwap(facts, options)`); here they are put together, a line each. `chosen` are all
 * parts of this run.
 */
export type PartPlanner = (host: Host, options: InstallOptions, chosen: readonly Part[]) => PartPlan;

/** The planner of each part. */
const PLANNERS: Readonly<Partial<Record<Part, PartPlanner>>> = {};

/** Plans the chosen parts on what is there now; throws where a fact cannot be read. */
export function planParts(host: Host, options: InstallOptions, chosen: readonly Part[]): Plan {
  return compose(chosen.flatMap((part) => PLANNERS[part]?.(host, options, chosen) ?? []));
}
