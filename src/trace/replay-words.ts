import type { EvictionDecision, EvictionHoldReason } from "../policy/eviction/decide.ts";
import { rankingReason } from "../policy/eviction/victim.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";
import type { PhaseBasis, ReplayedPhase } from "./replay.ts";

/** Number of the pods whose end would help that a report names. */
export const NAMED_PODS = 5;

/** Returns the names of the pods that a replay evicts, by UID, as in `shop/db-0`. */
export function victimsOf(phases: readonly ReplayedPhase[]): ReadonlyMap<string, string> {
  return new Map(
    phases.flatMap(({ decision }) =>
      decision.verdict === "evict"
        ? [[decision.victim.pod.uid, podNameOf(decision.victim.pod)] as const]
        : [],
    ),
  );
}

/** Describes a decision in two or three words: its verdict, and the reason or the pod. */
export function summaryOf(decision: EvictionDecision, victims: ReadonlyMap<string, string>): string {
  if (decision.verdict === "hold") return `hold ${decision.reason}`;
  if (decision.verdict === "await") return `await ${victims.get(decision.podUid) ?? decision.podUid}`;
  return `${decision.method} ${podNameOf(decision.victim.pod)}`;
}

/**
 * Describes the reason of a decision: of a hold in words with figures; of an eviction the crossed thresholds, the cause,
 * the harmed pods, the values that rank its victim, and those of the first five who would help that were left out. Empty
 * while a victim is awaited.
 */
export function reasonOf({ decision, basis }: ReplayedPhase): string {
  if (decision.verdict === "await") return "";
  if (decision.verdict === "hold") return holdReasonOf(decision.reason, basis);
  const { pressureCause, harmedPods } = basis.observation;
  const cause = pressureCause === undefined ? "" : ` by ${pressureCause}`;
  const harmed = harmedPods.length === 0 ? "" : `, ${counted(harmedPods.length, "pod")} harmed`;
  const why = `${decision.thresholds.join(", ")}${cause}${harmed}: ${rankingReason(decision.victim)}`;
  const leftOut = leftOutOf(basis);
  return leftOut === "" ? why : `${why}; left out: ${leftOut}`;
}

function holdReasonOf(reason: EvictionHoldReason, basis: PhaseBasis): string {
  const words = HOLD_WORDS[reason](basis);
  const leftOut = reason.startsWith("relieving-") ? leftOutOf(basis) : "";
  return leftOut === "" ? words : `${words}: ${leftOut}`;
}

/** Sentences of at most 90 characters; figures are those at the beginning of the hold. */
const HOLD_WORDS: Readonly<Record<EvictionHoldReason, (basis: PhaseBasis) => string>> = {
  "mode-off": () => "evictions are off",
  "not-pressed": ({ observation }) => `no threshold is met: ${stallAndSwap(observation)}`,
  "grace-period": ({ observation: { harm, stall } }) =>
    `not long enough yet: harm ${percent(harm)} of what calls for an eviction, stalled ${percent(stall)}`,
  excepted: ({ observation }) => `the threshold's exception is met too: ${stallAndSwap(observation)}`,
  recovering: ({ observation: { stall, swapInPagesPerSecond } }) =>
    `memory is not short any more: stalled ${percent(stall)}, ${rounded(swapInPagesPerSecond)} pages/s come back`,
  "self-inflicted": ({ observation: { memoryAvailable } }) =>
    `who waits reclaims against limits of its own: ${percent(memoryAvailable)} of the memory is available`,
  "not-swap": ({ observation }) => `swap has no part in it: ${stallAndSwap(observation)}`,
  settling: ({ observation: { stall, swapSettling } }) =>
    `unused memory makes room, once: stalled ${percent(stall)}, ${percent(swapSettling)} stays out`,
  growing: ({ observation: { stall, swapOutPagesPerSecond } }) =>
    `who waits takes the memory itself: stalled ${percent(stall)}, ${rounded(swapOutPagesPerSecond)} pages/s go out`,
  cooldown: ({ cooldownSeconds }) => `relief has ${Math.ceil(cooldownSeconds)} s more to show`,
  capped: ({ evictedLastHour }) => `${counted(evictedLastHour, "eviction")} in the last hour, the maximum`,
  "no-candidate": () => "the node has no pod",
  "nobody-relieves": ({ pods }) =>
    `none of ${counted(pods, "pod")} has much of what moves or of what exceeds the requests`,
  "relieving-kept": ({ relieving }) => `${counted(relieving.length, "pod")} would help, but may not go`,
  "relieving-leaving": ({ relieving }) =>
    `${counted(relieving.length, "pod")} would help, but did not leave in time`,
  "relieving-blocked": ({ relieving }) =>
    `${counted(relieving.length, "pod")} would help, but evictions are refused for now`,
  "not-relieved": ({ observation }) => `two evictions have not ended it: ${stallAndSwap(observation)}`,
  "past-unknown": () => "the evictions of an earlier agent cannot be read from the node",
  stopped: () => "an administrator has stopped evictions on this node",
  "no-figures": ({ pods }) => `the memory of none of ${counted(pods, "pod")} is known`,
};

function stallAndSwap({ stall, swapUtilization }: PhaseBasis["observation"]): string {
  const stalled = stall === undefined ? "stall unknown" : `stalled ${percent(stall)}`;
  return `${stalled}, swap ${percent(swapUtilization)} full`;
}

function leftOutOf({ relieving }: PhaseBasis): string {
  return relieving
    .slice(0, NAMED_PODS)
    .flatMap(({ pod, leftOut }) => (leftOut === undefined ? [] : `${podNameOf(pod)} (${leftOut})`))
    .join(", ");
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function percent(part: number | undefined): string {
  return part === undefined ? "?" : `${Math.round(part * 100)} %`;
}

function rounded(figure: number | undefined): string {
  return figure === undefined ? "?" : String(Math.round(figure));
}

function podNameOf({ namespace, name }: Pod): string {
  return `${namespace}/${name}`;
}
