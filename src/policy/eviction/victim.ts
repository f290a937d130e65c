import { matchesNamespace } from "../kubernetes/namespace.ts";
import { isCriticalPod, isStaticPod, type Pod } from "../kubernetes/pod.ts";
import { formatRounded } from "../kubernetes/quantity.ts";
import type { ContainerSample, Snapshot } from "./snapshot.ts";

/** Why a pod is never evicted, whatever it does. */
export type NeverReason =
  | "static"
  | "critical"
  | "terminating"
  | "finished"
  | "excluded-namespace"
  /** The agent's own pod. */
  | "own-pod"
  /** Its annotation `wasp.io/evict` is "false". */
  | "opted-out"
  /** KubeVirt is moving it away already. */
  | "migrating";

/** The knobs of who may be a victim. */
export interface VictimConfig {
  readonly excludeNamespaces: readonly string[];
  /** The UID of the agent's own pod; undefined where it runs as none. */
  readonly ownPodUid: string | undefined;
}

/** A pod that may be evicted, with what it is ranked by. */
export interface Candidate {
  readonly pod: Pod;
  /** Working set and swap of its containers; undefined where no figures are there. */
  readonly usageBytes: number | undefined;
  readonly requestBytes: number;
  /** A container uses more, swap included, than its memory limit. */
  readonly isOverLimit: boolean;
  /** By how much, of all such containers together. */
  readonly overLimitBytes: number;
  readonly isOverRequest: boolean;
  /** Its part of the pages that come back from swap, from 0 to 1. */
  readonly movingShare: number;
}

/** The first reason for which a pod is never evicted; undefined when it may be. */
export function whyNever(pod: Pod, { excludeNamespaces, ownPodUid }: VictimConfig): NeverReason | undefined {
  if (isStaticPod(pod)) return "static";
  if (isCriticalPod(pod)) return "critical";
  if (pod.uid === ownPodUid) return "own-pod";
  if (pod.isTerminating) return "terminating";
  if (pod.phase === "Succeeded" || pod.phase === "Failed") return "finished";
  if (matchesNamespace(pod.namespace, excludeNamespaces)) return "excluded-namespace";
  if (pod.annotations["wasp.io/evict"] === "false") return "opted-out";
  return EVACUATING in pod.annotations ? "migrating" : undefined;
}

// kubevirt pkg/virt-controller/watch/descheduler/descheduler.go:36-49
const EVACUATING = "descheduler.alpha.kubernetes.io/eviction-in-progress";

/**
 * Ranks the pods that may be evicted, the first victim first: a container over its memory limit; over its requests;
 * the lower priority; the larger use relative to requests; the larger share of the swap that moves. Pods without figures
 * come last. `before` is an earlier snapshot, by which it is told whose swap moves.
 */
export function rankVictims(
  snapshot: Snapshot,
  before: Snapshot | undefined,
  config: VictimConfig,
): Candidate[] {
  const pods = snapshot.pods.filter((pod) => whyNever(pod, config) === undefined);
  return rank(pods, snapshot.containers, before?.containers ?? []);
}

/** Ranks the pods that are on their way out already, as if they were not. */
export function rankGoing(snapshot: Snapshot, config: VictimConfig): Candidate[] {
  const pods = snapshot.pods.filter((pod) => isGoing(whyNever(pod, config)));
  return rank(pods, snapshot.containers, []);
}

/** Whether a pod is never evicted because somebody else has sent it away. */
export function isGoing(reason: NeverReason | undefined): boolean {
  return reason === "terminating" || reason === "migrating";
}

function rank(
  pods: readonly Pod[],
  containers: readonly ContainerSample[],
  before: readonly ContainerSample[],
): Candidate[] {
  const moved = movedPages(containers, before);
  const samples = Map.groupBy(containers, ({ podUid }) => podUid);
  return pods.map((pod) => candidateOf(pod, samples.get(pod.uid) ?? [], moved)).sort(firstDifference);
}

/** How many pages of each container came back from swap, and of all together. */
interface Moved {
  readonly of: ReadonlyMap<string, number>;
  readonly total: number;
}

function movedPages(now: readonly ContainerSample[], before: readonly ContainerSample[]): Moved {
  const earlier = new Map(before.map(({ id, anonRefaults }) => [id, anonRefaults]));
  // A container that was not there before has had all of its refaults since.
  const of = new Map(
    now.map(({ id, anonRefaults }) => [id, Math.max(0, anonRefaults - (earlier.get(id) ?? 0))]),
  );
  return { of, total: [...of.values()].reduce((sum, pages) => sum + pages, 0) };
}

function candidateOf(pod: Pod, samples: readonly ContainerSample[], moved: Moved): Candidate {
  // What an init container that is done had asked for entitles nobody any more.
  const ids = new Set<string | undefined>(samples.map(({ id }) => id));
  const running = pod.containers.filter(({ id }) => samples.length === 0 || ids.has(id));
  const requestBytes = sumOf(running, ({ memoryRequestBytes }) => memoryRequestBytes);
  const usageBytes = samples.length === 0 ? undefined : sumOf(samples, usageOf);
  const overLimitBytes = sumOf(samples, (sample) => Math.max(0, usageOf(sample) - limitOf(pod, sample)));
  return {
    pod,
    usageBytes,
    requestBytes,
    isOverLimit: overLimitBytes > 0,
    overLimitBytes,
    isOverRequest: usageBytes !== undefined && usageBytes > requestBytes,
    movingShare: moved.total === 0 ? 0 : sumOf(samples, ({ id }) => moved.of.get(id) ?? 0) / moved.total,
  };
}

// The working set is the kubelet's: what is used, less the page cache that the kernel drops first
// (cadvisor container/libcontainer/handler.go:839-862).
function usageOf({ memoryBytes, inactiveFileBytes, swapBytes }: ContainerSample): number {
  return Math.max(0, memoryBytes - inactiveFileBytes) + swapBytes;
}

function limitOf(pod: Pod, { id }: ContainerSample): number {
  return (
    pod.containers.find((container) => container.id === id)?.memoryLimitBytes ?? Number.POSITIVE_INFINITY
  );
}

type Comparator = (a: Candidate, b: Candidate) => number;

/** By how much a candidate's use exceeds what it asked for, in bytes; less than nothing when it does not. */
function excessOf({ usageBytes, requestBytes }: Candidate): number {
  return usageBytes === undefined ? Number.NEGATIVE_INFINITY : usageBytes - requestBytes;
}

// In this order; where they all find two pods alike, their names decide, so that it is the same every time.
const COMPARATORS: readonly Comparator[] = [
  (a, b) => Number(b.usageBytes !== undefined) - Number(a.usageBytes !== undefined),
  (a, b) => Number(b.isOverLimit) - Number(a.isOverLimit),
  (a, b) => Number(b.isOverRequest) - Number(a.isOverRequest),
  (a, b) => (a.pod.priority ?? 0) - (b.pod.priority ?? 0),
  (a, b) => compare(excessOf(b), excessOf(a)),
  (a, b) => b.movingShare - a.movingShare,
  (a, b) => compare(a.pod.namespace, b.pod.namespace),
  (a, b) => compare(a.pod.name, b.pod.name),
  (a, b) => compare(a.pod.uid, b.pod.uid),
];

function firstDifference(a: Candidate, b: Candidate): number {
  for (const comparator of COMPARATORS) {
    const difference = comparator(a, b);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sumOf<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((sum, item) => sum + figure(item), 0);
}

/** Tells in words what ranks a candidate where it stands, in the order in which that counts. */
export function rankingReason(candidate: Candidate): string {
  const { pod, usageBytes, requestBytes, isOverLimit, overLimitBytes, movingShare } = candidate;
  if (usageBytes === undefined) return "no figures";
  const excessBytes = usageBytes - requestBytes;
  const parts = [
    isOverLimit ? `over its memory limit by ${formatRounded(overLimitBytes)}` : undefined,
    `${excessBytes > 0 ? "over" : "under"} its requests by ${formatRounded(Math.abs(excessBytes))}`,
    `priority ${pod.priority ?? 0}`,
    movingShare > 0 ? `${Math.round(movingShare * 100)} % of what comes back from swap` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
