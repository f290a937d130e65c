import { formatRounded } from "../../../policy/kubernetes/quantity.ts";
import { podMemoryHeadroomOf } from "../../../policy/reach/kubelet-thresholds.ts";
import { check, type Verdict } from "../../finding/rule.ts";

/** The kernel swaps before the kubelet evicts. */
export const swapReach = check({
  id: "swap-reach",
  needs: ["kubelet", "pods", "swaps"],
  right:
    "memory.high of kubepods is below what the kubelet evicts from: else it evicts before the kernel has swapped",
  judge: ({ kubelet, pods, swaps }): Verdict | undefined => {
    if (kubelet === undefined || pods === undefined || swaps.length === 0) return undefined;
    const { thresholds } = kubelet;
    if (thresholds === undefined)
      return { severity: "unknown", found: "the kubelet's threshold of memory.available cannot be read" };
    if (thresholds.hard === undefined && thresholds.soft === undefined)
      return { severity: "ok", found: "the kubelet evicts nobody for memory" };
    const room = podMemoryHeadroomOf(pods.node, pods.kubepods, thresholds);
    if (room === undefined) return { severity: "unknown", found: "/proc/meminfo does not tell what is free" };
    const { memoryHighBytes } = pods.kubepods;
    const evicts = `the kubelet evicts from ${formatRounded(room.evictedFromBytes)} on`;
    if (memoryHighBytes <= room.evictedFromBytes)
      return {
        severity: "ok",
        found: `memory.high of kubepods is ${formatRounded(memoryHighBytes)}; ${evicts}`,
      };
    const high = Number.isFinite(memoryHighBytes) ? formatRounded(memoryHighBytes) : "max";
    return {
      severity: "warning",
      found: `memory.high of kubepods is ${high}; ${evicts}`,
      remedy: "evictionMode: Enforce for wasp agent, which then holds memory.high while swap is free",
    };
  },
});
