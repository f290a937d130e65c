import { type PartPlan, partPlan } from "../engine/plan.ts";

const NOT_NEEDED = "the kubelet limits swap itself (memorySwap.swapBehavior: LimitedSwap) and needs no hook";
const REMOVAL = "wasp uninstall --only hook";

/**
 * Plans no hook, for a kubelet that limits swap itself: a container's OCI config does not show which of them it gives no
 * swap, and the hook would give some to a few of those.
 */
export function planWithoutHook(): PartPlan {
  return partPlan("hook", { notes: [`${NOT_NEEDED}, so none is written`] });
}

/** Adds to the plan of a hook that an earlier run has written how to remove it: until then, it is kept up to date. */
export function planUnneededHook(plan: PartPlan): PartPlan {
  return { ...plan, notes: [...plan.notes, `${NOT_NEEDED}; to remove this one: ${REMOVAL}`] };
}
