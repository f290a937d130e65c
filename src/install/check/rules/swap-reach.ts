import { formatRounded } from "../../../policy/kubernetes/quantity.ts";
import { podMemoryHeadroomOf } from "../../../policy/reach/kubelet-thresholds.ts";
import { checksOn, ok, unknown, warning } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** Requires that the kernel swaps before the kubelet evicts. */
export const swapReach = check({
  id: "swap-reach",
  needs: ["kubelet", "pods", "swaps"],
  right:
    "memory.high of kubepods is below the use of memory at which the kubelet evicts: otherwise it evicts before the kernel swaps",
  judge: ({ kubelet, pods, swaps }) => {
    if (kubelet === undefined || pods === undefined || swaps.length === 0) return undefined;
    const { thresholds } = kubelet;
    if (thresholds === undefined)
      return unknown("the kubelet's threshold of memory.available cannot be parsed");
    if (thresholds.hard === undefined && thresholds.soft === undefined)
      return ok("the kubelet evicts no pod for memory");
    const room = podMemoryHeadroomOf(pods.node, pods.kubepods, thresholds);
    if (room === undefined) return unknown("/proc/meminfo has no figure for free memory");
    const { memoryHighBytes } = pods.kubepods;
    const evicts = `the kubelet evicts from ${formatRounded(room.evictedFromBytes)} on`;
    if (memoryHighBytes <= room.evictedFromBytes)
      return ok(`memory.high of kubepods is ${formatRounded(memoryHighBytes)}; ${evicts}`);
    const high = Number.isFinite(memoryHighBytes) ? formatRounded(memoryHighBytes) : "max";
    return warning(
      `memory.high of kubepods is ${high}; ${evicts}`,
      "evictionMode: Enforce for wasp agent, which then holds memory.high while swap is free",
    );
  },
});
