import * as v from "valibot";
import { POD_OVERRIDES, SWAP_BEHAVIORS, WORKLOADS } from "../policy/limits/swap-limit.ts";
import { HOOK_DEFAULTS } from "./hook/defaults.ts";
import { choiceSchema, NamespacePatternsSchema, QuantitySchema } from "./value-schemas.ts";

/** The knobs of a swap decision, which every command that decides has in common. */
export const SWAP_LIMIT_KNOBS = {
  swapBehavior: v.pipe(
    v.optional(choiceSchema(SWAP_BEHAVIORS), HOOK_DEFAULTS.swapBehavior),
    v.description("Swap for each container: none, the kubelet's share, or without a limit"),
  ),
  workloads: v.pipe(
    v.optional(choiceSchema(WORKLOADS), HOOK_DEFAULTS.workloads),
    v.description("Which pods may swap: all Burstable ones, or only KubeVirt's virtual machines"),
  ),
  podOverrides: v.pipe(
    v.optional(choiceSchema(POD_OVERRIDES), HOOK_DEFAULTS.podOverrides),
    v.description("What a pod's annotation wasp.io/swap-limit may do to its limit"),
  ),
  excludeNamespaces: v.pipe(
    v.optional(NamespacePatternsSchema, [...HOOK_DEFAULTS.excludeNamespaces]),
    v.description("A namespace whose pods get no swap, with a trailing * for any ending; repeatable"),
  ),
  systemReservedSwapBytes: v.pipe(
    v.optional(QuantitySchema, HOOK_DEFAULTS.systemReservedSwapBytes),
    v.description("Swap that is kept for the system, a quantity such as 512Mi"),
  ),
};
