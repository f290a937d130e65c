import * as v from "valibot";
import { EVICTION_MODES, LAST_RESORTS } from "../../policy/eviction/decide.ts";
import { DEFAULT_THRESHOLDS } from "../../policy/eviction/default-thresholds.ts";
import { SWAP_REACHES } from "../../policy/reach/memory-high.ts";
import { choiceSchema, wholeNumberSchema } from "../value-schemas.ts";
import { ThresholdsSchema, thresholdAsWritten } from "./thresholds.ts";

/** The knobs of eviction, but for who is excluded. */
export const EVICTION_KNOBS = {
  // Telling of what would be done takes the permission to write Events, which nothing else here needs.
  evictionMode: v.pipe(
    v.optional(choiceSchema(EVICTION_MODES), "Off"),
    v.description("Evict pods when swap hurts, only tell whom, or neither"),
  ),
  evictionThresholds: v.pipe(
    v.optional(ThresholdsSchema, DEFAULT_THRESHOLDS.map(thresholdAsWritten)),
    v.description("What calls for an eviction: conditions on signals that are met together for a while"),
  ),
  swapReach: v.pipe(
    v.optional(choiceSchema(SWAP_REACHES), "Auto"),
    v.description("Hold memory.high of kubepods below the kubelet's thresholds, so that swap is used first"),
  ),
  cooldownSeconds: v.pipe(
    v.optional(wholeNumberSchema(0, 3600), 60),
    v.description("How long nobody else is evicted after a victim is gone"),
  ),
  victimDeadlineSeconds: v.pipe(
    v.optional(wholeNumberSchema(1, 86_400), 300),
    v.description("How long a victim may take to go, or to be moved, before the next one is looked for"),
  ),
  maxEvictionsPerHour: v.pipe(
    v.optional(wholeNumberSchema(0, 1000), 6),
    v.description("How many pods may be evicted in an hour"),
  ),
  lastResort: v.pipe(
    v.optional(choiceSchema(LAST_RESORTS), "None"),
    v.description("What is done at a hard threshold where every eviction is refused"),
  ),
  trafficWindowSeconds: v.pipe(
    v.optional(wholeNumberSchema(1, 600), 30),
    v.description("Over how long swap traffic is averaged"),
  ),
  taintEffect: v.pipe(
    v.optional(choiceSchema(["NoSchedule", "PreferNoSchedule", "None"]), "NoSchedule"),
    v.description("The effect of the taint that keeps new pods away while swap hurts, or no taint"),
  ),
};
