import * as v from "valibot";
import { decode } from "./decode.ts";

/** What wasp needs of a kubelet's configuration. */
export interface KubeletConfig {
  /** `memorySwap.swapBehavior` as configured; empty for the kubelet's default, which is NoSwap. */
  readonly swapBehavior: string;
}

const ConfigzSchema = v.object({
  kubeletconfig: v.object({
    memorySwap: v.nullish(v.object({ swapBehavior: v.nullish(v.string()) })),
  }),
});

/** Decodes what a kubelet answers at /configz; throws an Error when it is not that. */
export function decodeKubeletConfig(text: string): KubeletConfig {
  const { kubeletconfig } = decode(ConfigzSchema, text, "a kubelet's configuration");
  return { swapBehavior: kubeletconfig.memorySwap?.swapBehavior ?? "" };
}
