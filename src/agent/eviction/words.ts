import type { EvictionReply } from "../../cluster/eviction-reply.ts";
import type { Event, Fields } from "../../log/events.ts";
import type { EvictionAnswer } from "../../policy/eviction/answer.ts";
import type { EvictionConfig, EvictionDecision } from "../../policy/eviction/decide.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import { rankingReason } from "../../policy/eviction/victim.ts";

/** The decision to evict a pod. */
export type Eviction = EvictionDecision & { readonly verdict: "evict" };

/** What is made of an answer: a line of the log, and the reason of an Event, where there are such. */
export interface Outcome {
  readonly event: Event | undefined;
  readonly reason: string | undefined;
  /** What follows the pod's name. */
  readonly verb: string;
}

/** What comes of a request, by its answer. */
export const OUTCOMES: Readonly<Record<EvictionAnswer, Outcome>> = {
  accepted: { event: "pod-evicted", reason: "SwapEviction", verb: "is evicted" },
  evacuating: { event: "pod-evicted", reason: "SwapEviction", verb: "is moved to another node" },
  blocked: { event: "eviction-refused", reason: "SwapEvictionRefused", verb: "is not evicted for now" },
  never: { event: "eviction-refused", reason: "SwapEvictionRefused", verb: "is not evicted" },
  gone: { event: "eviction-refused", reason: undefined, verb: "is gone" },
  failed: { event: "eviction-refused", reason: undefined, verb: "is not evicted yet" },
  // Who was not asked refused nothing.
  "dry-run": { event: undefined, reason: "SwapEvictionPlanned", verb: "would be evicted" },
};

/** What is told of an eviction to whoever looks at the pod or at the node: what comes of it, and why it is this pod. */
export function noteOf(
  { victim }: Eviction,
  { answer, message }: EvictionReply,
  observation: Observation | undefined,
): string {
  const { namespace, name } = victim.pod;
  const { event, verb } = OUTCOMES[answer];
  const refusal = event === "eviction-refused" ? `${message.replace(/[.\s]+$/, "")}. It is ` : "it is ";
  const figures = observation === undefined ? "" : ` ${sentenceOf(observation)}`;
  return `${namespace}/${name} ${verb}: ${refusal}${rankingReason(victim)}.${figures}`;
}

/** The names of a victim, for the log. */
export function namesOf({ pod }: Eviction["victim"]): Fields {
  return { namespace: pod.namespace, pod: pod.name, podUid: pod.uid };
}

/** A decision with all that it was made on, for the log. */
export function fieldsOf(
  { victim, ranking, thresholds, method }: Eviction,
  mode: EvictionConfig["evictionMode"],
  observation: Observation | undefined,
): Fields {
  const first = ranking.slice(0, 3).map(({ pod }) => `${pod.namespace}/${pod.name}`);
  return {
    ...namesOf(victim),
    mode,
    method,
    thresholds: thresholds.join(", "),
    why: rankingReason(victim),
    ranking: first.join(", "),
    candidates: ranking.length,
    ...rounded({ ...observation }),
  };
}

/** What was sensed and tells most, for the log. */
export function briefOf(observation: Observation): Fields {
  const { memoryPressure, pressureCause, stall, swapUtilization, swapInPagesPerSecond } = observation;
  return rounded({ memoryPressure, pressureCause, stall, swapUtilization, swapInPagesPerSecond });
}

/** What was sensed, in a sentence; what cannot be told is left out. */
export function sentenceOf({
  stall,
  swapUtilization,
  swapInPagesPerSecond: pages,
  pressureCause,
}: Observation): string {
  const hasStalled = stall !== undefined && stall >= 0.005;
  const cause = hasStalled && pressureCause !== undefined ? ` (${pressureCause})` : "";
  const parts = [
    stall === undefined ? undefined : `pods stalled for memory ${percent(stall)} of the time${cause}`,
    swapUtilization === undefined ? undefined : `swap ${percent(swapUtilization)} full`,
    pages === undefined ? undefined : `${Math.round(pages)} pages a second swapped in`,
  ];
  const known = parts.filter((part) => part !== undefined).join("; ");
  return known === "" ? "Nothing is known yet." : `${known[0]?.toUpperCase()}${known.slice(1)}.`;
}

// Enough digits for an eye; what replays a decision is a recording.
function rounded(figures: Fields): Fields {
  const entries = Object.entries(figures).map(([name, figure]) => [
    name,
    typeof figure === "number" ? Number(figure.toFixed(Math.abs(figure) < 100 ? 3 : 0)) : figure,
  ]);
  return Object.fromEntries(entries);
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}
