import * as v from "valibot";
import { type KubeletThresholds, parseMemoryThreshold } from "../policy/reach/kubelet-thresholds.ts";
import { decode } from "./decode.ts";

/** Configuration that a kubelet runs with, as far as wasp needs it. */
export interface RunningKubeletConfig {
  /** `memorySwap.swapBehavior` as configured; empty for the kubelet's default, which is NoSwap. */
  readonly swapBehavior: string;
  /** Thresholds of memory at which it evicts pods; undefined if one of them cannot be parsed. */
  readonly thresholds: KubeletThresholds | undefined;
}

const SIGNAL = "memory.available";
const SignalsSchema = v.nullish(v.object({ [SIGNAL]: v.nullish(v.string()) }));

const ConfigzSchema = v.object({
  kubeletconfig: v.object({
    memorySwap: v.nullish(v.object({ swapBehavior: v.nullish(v.string()) })),
    evictionHard: SignalsSchema,
    evictionSoft: SignalsSchema,
    enforceNodeAllocatable: v.nullish(v.array(v.string())),
  }),
});

/** Decodes a kubelet's response at /configz; throws an Error if it is malformed. */
export function decodeKubeletConfig(text: string): RunningKubeletConfig {
  const { kubeletconfig } = decode(ConfigzSchema, text, "a kubelet's configuration");
  const { memorySwap, evictionHard, evictionSoft, enforceNodeAllocatable } = kubeletconfig;
  const hard = parseMemoryThreshold(evictionHard?.[SIGNAL]);
  const soft = parseMemoryThreshold(evictionSoft?.[SIGNAL]);
  const enforcesPods = enforceNodeAllocatable?.includes("pods") ?? false;
  return {
    swapBehavior: memorySwap?.swapBehavior ?? "",
    thresholds: hard === "unreadable" || soft === "unreadable" ? undefined : { hard, soft, enforcesPods },
  };
}
