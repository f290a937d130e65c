import { POD_OVERRIDES, SWAP_BEHAVIORS, WORKLOADS } from "../policy/limits/swap-limit.ts";
import { HOOK_DEFAULTS } from "./hook/defaults.ts";
import { knob } from "./knob.ts";
import { choiceSchema, NamespacePatternsSchema, QuantitySchema } from "./value-schemas.ts";

/** Knobs of a container's swap limit, common to all commands that set it. */
export const SWAP_LIMIT_KNOBS = {
  swapBehavior: knob(
    choiceSchema(SWAP_BEHAVIORS),
    HOOK_DEFAULTS.swapBehavior,
    "Swap limit of each container: none, the kubelet's LimitedSwap share, or unlimited",
  ),
  workloads: knob(
    choiceSchema(WORKLOADS),
    HOOK_DEFAULTS.workloads,
    "Pods that may swap: all Burstable ones, or only KubeVirt's virtual machines",
  ),
  podOverrides: knob(
    choiceSchema(POD_OVERRIDES),
    HOOK_DEFAULTS.podOverrides,
    "Permitted effect of a pod's annotation wasp.io/swap-limit on its limit",
  ),
  excludeNamespaces: knob(
    NamespacePatternsSchema,
    [...HOOK_DEFAULTS.excludeNamespaces],
    "Namespace whose pods get no swap, or a prefix followed by *; repeatable",
  ),
  systemReservedSwapBytes: knob(
    QuantitySchema,
    HOOK_DEFAULTS.systemReservedSwapBytes,
    "Swap reserved for the system, a quantity such as 512Mi",
  ),
};
