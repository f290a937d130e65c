import * as v from "valibot";
import { type KubeletThresholds, parseMemoryFigure } from "../policy/reach/kubelet-thresholds.ts";
import { decode } from "./decode.ts";

/** What wasp needs of a kubelet's configuration. */
export interface KubeletConfig {
  /** `memorySwap.swapBehavior` as configured; empty for the kubelet's default, which is NoSwap. */
  readonly swapBehavior: string;
  /** From when on it evicts pods for memory; undefined where one of its thresholds cannot be read. */
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

/** Decodes what a kubelet answers at /configz; throws an Error when it is not that. */
export function decodeKubeletConfig(text: string): KubeletConfig {
  const { kubeletconfig } = decode(ConfigzSchema, text, "a kubelet's configuration");
  const { memorySwap, evictionHard, evictionSoft, enforceNodeAllocatable } = kubeletconfig;
  const hard = parseMemoryFigure(evictionHard?.[SIGNAL]);
  const soft = parseMemoryFigure(evictionSoft?.[SIGNAL]);
  const enforcesPods = enforceNodeAllocatable?.includes("pods") ?? false;
  return {
    swapBehavior: memorySwap?.swapBehavior ?? "",
    thresholds: hard === "unreadable" || soft === "unreadable" ? undefined : { hard, soft, enforcesPods },
  };
}
