import { INSTALL_ENCRYPTED } from "../../finding/remedy.ts";
import { checksOn, type Verdict } from "../../finding/rule.ts";
import { isClear } from "../../swap/disk-rules.ts";
import type { KnownFacts } from "../facts.ts";
import { isAtLeast } from "./kernel.ts";

const check = checksOn<KnownFacts>();

// From then on the kubelet mounts with noswap without trying (kubernetes pkg/util/kernel/constants.go,
// TmpfsNoswapSupportKernelVersion).
const LEAST_FOR_NOSWAP = "6.4";

/** Volumes in memory, secrets among them, are kept out of swap. */
export const tmpfsNoswap = check({
  id: "tmpfs-noswap",
  needs: ["kernelRelease", "hasNoswapMount", "swaps", "swapStacks"],
  right: "the kernel can keep a tmpfs out of swap (noswap): by that the kubelet keeps secrets there",
  judge: ({ kernelRelease, hasNoswapMount, swaps, swapStacks }): Verdict => {
    if (isAtLeast(kernelRelease, LEAST_FOR_NOSWAP))
      return { severity: "ok", found: `Linux ${kernelRelease} can` };
    if (hasNoswapMount) return { severity: "ok", found: "a tmpfs is mounted with noswap" };
    const isSafe = !swaps.some((area) => isClear(area, swapStacks));
    return {
      severity: isSafe ? "note" : "warning",
      found: `Linux ${kernelRelease} is older than ${LEAST_FOR_NOSWAP}, and no tmpfs is mounted with noswap: secrets may be swapped out`,
      remedy: `Linux ${LEAST_FOR_NOSWAP} or newer, or encrypted swap: ${INSTALL_ENCRYPTED}`,
    };
  },
});
