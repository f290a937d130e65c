import * as v from "valibot";
import { POD_OVERRIDES, SWAP_BEHAVIORS, WORKLOADS } from "../policy/limits/swap-limit.ts";
import { HOOK_DEFAULTS } from "./hook/defaults.ts";
import { choiceSchema, NamespacePatternsSchema, QuantitySchema } from "./value-schemas.ts";

/** Knobs of a container's swap limit, common to all commands that set it. */
export const SWAP_LIMIT_KNOBS = {
  swapBehavior: v.pipe(
    v.optional(choiceSchema(SWAP_BEHAVIORS), HOOK_DEFAULTS.swapBehavior),
    v.description("Swap limit of each container: none, the kubelet's LimitedSwap share, or unlimited"),
  ),
  workloads: v.pipe(
    v.optional(choiceSchema(WORKLOADS), HOOK_DEFAULTS.workloads),
    v.description("Pods that may swap: all Burstable ones, or only KubeVirt's virtual machines"),
  ),
  podOverrides: v.pipe(
    v.optional(choiceSchema(POD_OVERRIDES), HOOK_DEFAULTS.podOverrides),
    v.description("Permitted effect of a pod's annotation wasp.io/swap-limit on its limit"),
  ),
  excludeNamespaces: v.pipe(
    v.optional(NamespacePatternsSchema, [...HOOK_DEFAULTS.excludeNamespaces]),
    v.description("Namespace whose pods get no swap, or a prefix followed by *; repeatable"),
  ),
  systemReservedSwapBytes: v.pipe(
    v.optional(QuantitySchema, HOOK_DEFAULTS.systemReservedSwapBytes),
    v.description("Swap reserved for the system, a quantity such as 512Mi"),
  ),
};
