import type { EvictionReply } from "../../cluster/eviction-reply.ts";
import type { Event, Fields } from "../../log/events.ts";
import type { EvictionAnswer } from "../../policy/eviction/answer.ts";
import type { EvictionConfig, EvictionDecision } from "../../policy/eviction/decide.ts";
import { neverEvictedReason, type VictimConfig } from "../../policy/eviction/never-evicted.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import { type Candidate, rankCandidates, rankingReason } from "../../policy/eviction/victim.ts";
import type { PersonsReason } from "./lasting-hold.ts";

/** The decision to evict a pod. */
export type Eviction = EvictionDecision & { readonly verdict: "evict" };

/** Report of an answer: event of the log and reason of the Event, undefined for none. */
export interface AnswerReport {
  readonly event: Event | undefined;
  readonly reason: string | undefined;
  /** Verb after the pod's name. */
  readonly verb: string;
}

/** Reports of the API server's answers. */
export const ANSWER_REPORTS: Readonly<Record<EvictionAnswer, AnswerReport>> = {
  accepted: { event: "pod-evicted", reason: "SwapEviction", verb: "is evicted" },
  evacuating: { event: "pod-evicted", reason: "SwapEviction", verb: "is moved to another node" },
  blocked: { event: "eviction-refused", reason: "SwapEvictionRefused", verb: "is not evicted for now" },
  never: { event: "eviction-refused", reason: "SwapEvictionRefused", verb: "is not evicted" },
  gone: { event: "eviction-refused", reason: undefined, verb: "is gone" },
  failed: { event: "eviction-refused", reason: undefined, verb: "is not evicted yet" },
  // No request was made, so none was refused.
  "dry-run": { event: undefined, reason: "SwapEvictionPlanned", verb: "would be evicted" },
};

/** Returns the note of an eviction's Events: its result, and the reason for choosing this pod. */
export function noteOf(
  { victim }: Eviction,
  { answer, message }: EvictionReply,
  observation: Observation | undefined,
): string {
  const { namespace, name } = victim.pod;
  const { event, verb } = ANSWER_REPORTS[answer];
  const refusal = event === "eviction-refused" ? `${message.replace(/[.\s]+$/, "")}. It is ` : "it is ";
  const figures = observation === undefined ? "" : ` ${sentenceOf(observation)}`;
  return `${namespace}/${name} ${verb}: ${refusal}${rankingReason(victim)}.${figures}`;
}

/** Begins of the sentences that describe the holds that need a person. */
const HELD_WORDS: Readonly<Record<PersonsReason, string>> = {
  "relieving-kept": "No pod is evicted, because those that would help are never evicted",
  "relieving-blocked":
    "No pod is evicted, because the evictions of those that would help are refused for now",
  "not-relieved": "No more pods are evicted, because two evictions have not ended the pressure",
};
/** Sentences with the remedies of these holds. */
const REMEDIES: Readonly<Record<PersonsReason, string>> = {
  "relieving-kept":
    "Restart, move or limit one of them; excludeNamespaces and evictionOptOut decide who may be evicted.",
  "relieving-blocked": "Delete one of them, or relax what refuses its eviction, such as a disruption budget.",
  "not-relieved": "Look for memory outside of pods, move pods to another node, or drain this one.",
};
const NAMED_PODS = 3;

/** Describes a hold that needs a person: its reason, the first of the pods whose end would help, and its remedy. */
export function heldWordsOf(
  reason: PersonsReason,
  relieving: readonly Candidate[],
  config: VictimConfig,
): string {
  const names = rankCandidates(relieving).map((candidate) => {
    const { pod } = candidate;
    const kept = neverEvictedReason(pod, candidate, config);
    return `${pod.namespace}/${pod.name}${kept === undefined ? "" : ` (${kept})`}`;
  });
  const more = names.length > NAMED_PODS ? ` and ${names.length - NAMED_PODS} more` : "";
  const pods = names.length === 0 ? "" : `: ${names.slice(0, NAMED_PODS).join(", ")}${more}`;
  return `${HELD_WORDS[reason]} (${reason})${pods}. ${REMEDIES[reason]}`;
}

/** Returns a victim's names as log fields. */
export function namesOf({ pod }: Eviction["victim"]): Fields {
  return { namespace: pod.namespace, pod: pod.name, podUid: pod.uid };
}

/** Returns a decision and its basis as log fields. */
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
    ...(observation && signalFields(observation)),
  };
}

/** Returns the most important signals as log fields. */
export function briefOf(observation: Observation): Fields {
  const { harm, memoryPressure, pressureCause, stall, swapUtilization, swapInPagesPerSecond } = observation;
  return rounded({ harm, memoryPressure, pressureCause, stall, swapUtilization, swapInPagesPerSecond });
}

// Less is shown as 0 %, which has no cause.
const SHOWN_STALL_FRACTION = 0.005;

/** Describes the signals in a sentence; leaves out those without a value. */
export function sentenceOf({
  stall,
  swapUtilization,
  swapInPagesPerSecond: pages,
  pressureCause,
  harmedPods,
}: Observation): string {
  const hasStalled = stall !== undefined && stall >= SHOWN_STALL_FRACTION;
  const cause = hasStalled && pressureCause !== undefined ? ` (${pressureCause})` : "";
  const parts = [
    stall === undefined ? undefined : `pods stalled on memory ${percent(stall)} of the time${cause}`,
    harmedPods.length === 0 ? undefined : `${harmedPods.length} harmed`,
    swapUtilization === undefined ? undefined : `swap ${percent(swapUtilization)} full`,
    pages === undefined ? undefined : `${Math.round(pages)} pages per second swapped in`,
  ];
  const known = parts.filter((part) => part !== undefined).join("; ");
  return known === "" ? "No signal has a value yet." : `${known[0]?.toUpperCase()}${known.slice(1)}.`;
}

function signalFields({ harmedPods, ...signals }: Observation): Fields {
  return { ...rounded(signals), harmedPods: harmedPods.length };
}

// Enough digits for a reader: a decision is replayed from a recording, not from the log.
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
