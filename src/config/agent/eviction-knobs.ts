import { EVICTION_MODES, LAST_RESORTS } from "../../policy/eviction/decide.ts";
import { DEFAULT_THRESHOLDS } from "../../policy/eviction/default-thresholds.ts";
import { EVICTION_OPT_OUTS } from "../../policy/eviction/never-evicted.ts";
import { SWAP_REACHES } from "../../policy/reach/memory-high.ts";
import { knob } from "../knob.ts";
import { choiceSchema, NamespacePatternsSchema, wholeNumberSchema } from "../value-schemas.ts";
import { ThresholdsSchema, thresholdAsWritten } from "./thresholds.ts";

/** Knobs of swap pressure and eviction. */
export const EVICTION_KNOBS = {
  // Off by default: even DryRun writes Events, which needs a permission that nothing else needs.
  evictionMode: knob(
    choiceSchema(EVICTION_MODES),
    "Off",
    "Evict pods under swap pressure, only report which ones, or neither",
  ),
  evictionThresholds: knob(
    ThresholdsSchema,
    DEFAULT_THRESHOLDS.map(thresholdAsWritten),
    "Eviction thresholds: conditions on signals that have to be met together for a grace period",
  ),
  swapReach: knob(
    choiceSchema(SWAP_REACHES),
    "Auto",
    "Keep memory.high of kubepods below the kubelet's eviction thresholds, so that the kernel swaps first",
  ),
  cooldownSeconds: knob(
    wholeNumberSchema(0, 3600),
    60,
    "Seconds without another eviction after a victim is gone",
  ),
  victimDeadlineSeconds: knob(
    wholeNumberSchema(1, 86_400),
    300,
    "Seconds that a victim may take to terminate or to migrate before another one is chosen",
  ),
  maxEvictionsPerHour: knob(wholeNumberSchema(0, 1000), 6, "Maximum number of evictions in an hour"),
  lastResort: knob(
    choiceSchema(LAST_RESORTS),
    "None",
    "Action at a hard threshold if every eviction is refused",
  ),
  // Anyone who may create a pod may annotate it.
  evictionOptOut: knob(
    choiceSchema(EVICTION_OPT_OUTS),
    "WithinRequests",
    "Protect pods with the annotation wasp.io/evict: false never, while within their requests, or always",
  ),
  evictionOptOutNamespaces: knob(
    NamespacePatternsSchema,
    ["*"],
    "Namespace whose pods may have that annotation, or a prefix followed by *; repeatable",
  ),
  trafficWindowSeconds: knob(wholeNumberSchema(1, 600), 30, "Seconds over which swap traffic is averaged"),
  taintEffect: knob(
    choiceSchema(["NoSchedule", "PreferNoSchedule", "None"]),
    "NoSchedule",
    "Effect of the taint that keeps new pods away under swap pressure, or None for no taint",
  ),
};
