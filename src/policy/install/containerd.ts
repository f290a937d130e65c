import type { PartPlan } from "./plan.ts";

/** What there is to know of containerd. */
export interface ContainerdFacts {
  /** Whether there is one on the host. */
  readonly isThere: boolean;
}

/** Tells what becomes of a containerd's containers: it has no folder for hooks, so that nothing can be installed for it. */
export function planContainerd({ isThere }: ContainerdFacts): PartPlan {
  const notes = isThere
    ? [
        "containerd has no folder for OCI hooks: its containers get their swap limits from wasp agent, shortly after they start",
      ]
    : [];
  return { part: "containerd", steps: [], refusals: [], notes };
}
