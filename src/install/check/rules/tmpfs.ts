import { INSTALL_ENCRYPTED } from "../../finding/remedy.ts";
import { checksOn, ok } from "../../finding/rule.ts";
import { isClear } from "../../swap/disk-rules.ts";
import type { KnownFacts } from "../facts.ts";
import { isAtLeast } from "./kernel.ts";

const check = checksOn<KnownFacts>();

// Since then the kubelet mounts with noswap without probing for it (kubernetes pkg/util/kernel/constants.go,
// TmpfsNoswapSupportKernelVersion).
const MIN_RELEASE_FOR_NOSWAP = "6.4";

/** Requires that volumes in memory, secrets among them, are not swapped out. */
export const tmpfsNoswap = check({
  id: "tmpfs-noswap",
  needs: ["kernelRelease", "hasNoswapMount", "swaps", "swapStacks"],
  right: "the kernel can keep a tmpfs out of swap (noswap), as the kubelet does for secrets",
  judge: ({ kernelRelease, hasNoswapMount, swaps, swapStacks }) => {
    if (isAtLeast(kernelRelease, MIN_RELEASE_FOR_NOSWAP)) return ok(`Linux ${kernelRelease} supports noswap`);
    if (hasNoswapMount) return ok("a tmpfs is mounted with noswap");
    const isSafe = !swaps.some((area) => isClear(area, swapStacks));
    return {
      severity: isSafe ? "note" : "warning",
      found: `Linux ${kernelRelease} is older than ${MIN_RELEASE_FOR_NOSWAP}, and no tmpfs is mounted with noswap: secrets may be swapped out`,
      remedy: `Linux ${MIN_RELEASE_FOR_NOSWAP} or newer, or encrypted swap: ${INSTALL_ENCRYPTED}`,
    };
  },
});
