import * as v from "valibot";
import { EVICTION_MODES, LAST_RESORTS } from "../../policy/eviction/decide.ts";
import { DEFAULT_THRESHOLDS } from "../../policy/eviction/default-thresholds.ts";
import { SWAP_REACHES } from "../../policy/reach/memory-high.ts";
import { choiceSchema, wholeNumberSchema } from "../value-schemas.ts";
import { ThresholdsSchema, thresholdAsWritten } from "./thresholds.ts";

/** Knobs of swap pressure and eviction. */
export const EVICTION_KNOBS = {
  // Off by default: even DryRun writes Events, which needs a permission that nothing else needs.
  evictionMode: v.pipe(
    v.optional(choiceSchema(EVICTION_MODES), "Off"),
    v.description("Evict pods under swap pressure, only report which ones, or neither"),
  ),
  evictionThresholds: v.pipe(
    v.optional(ThresholdsSchema, DEFAULT_THRESHOLDS.map(thresholdAsWritten)),
    v.description(
      "Eviction thresholds: conditions on signals that have to be met together for a grace period",
    ),
  ),
  swapReach: v.pipe(
    v.optional(choiceSchema(SWAP_REACHES), "Auto"),
    v.description(
      "Keep memory.high of kubepods below the kubelet's eviction thresholds, so that the kernel swaps first",
    ),
  ),
  cooldownSeconds: v.pipe(
    v.optional(wholeNumberSchema(0, 3600), 60),
    v.description("Seconds without another eviction after a victim is gone"),
  ),
  victimDeadlineSeconds: v.pipe(
    v.optional(wholeNumberSchema(1, 86_400), 300),
    v.description("Seconds that a victim may take to terminate or to migrate before another one is chosen"),
  ),
  maxEvictionsPerHour: v.pipe(
    v.optional(wholeNumberSchema(0, 1000), 6),
    v.description("Maximum number of evictions in an hour"),
  ),
  lastResort: v.pipe(
    v.optional(choiceSchema(LAST_RESORTS), "None"),
    v.description("Action at a hard threshold if every eviction is refused"),
  ),
  trafficWindowSeconds: v.pipe(
    v.optional(wholeNumberSchema(1, 600), 30),
    v.description("Seconds over which swap traffic is averaged"),
  ),
  taintEffect: v.pipe(
    v.optional(choiceSchema(["NoSchedule", "PreferNoSchedule", "None"]), "NoSchedule"),
    v.description("Effect of the taint that keeps new pods away under swap pressure, or None for no taint"),
  ),
};
