import { type PartPlan, partPlan } from "../engine/plan.ts";

/**
 * Plans no hook, for a kubelet that limits swap itself: a container's OCI config does not show which of them it gives no
 * swap, and the hook would give some to a few of those.
 */
export function planWithoutHook(): PartPlan {
  return partPlan("hook", {
    notes: [
      "the kubelet limits swap itself (memorySwap.swapBehavior: LimitedSwap) and needs no hook, so none is written; " +
        "to remove an earlier one: wasp uninstall --only hook",
    ],
  });
}
