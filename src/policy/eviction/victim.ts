import type { Pod } from "../kubernetes/pod.ts";
import { formatRounded } from "../kubernetes/quantity.ts";
import { isLeaving, neverEvictedReason, type VictimConfig } from "./never-evicted.ts";
import type { ContainerSample, Snapshot } from "./snapshot.ts";

/** Pod that may be evicted, with the values that rank it. */
export interface Candidate {
  readonly pod: Pod;
  /** Working set and swap of its containers; undefined without samples of them. */
  readonly usageBytes: number | undefined;
  readonly requestBytes: number;
  /** True if a container's usage, swap included, exceeds its memory limit. */
  readonly isOverLimit: boolean;
  /** Excess over the memory limits, of all containers together. */
  readonly overLimitBytes: number;
  readonly isOverRequest: boolean;
  /** Share of the node's swap-in, from 0 to 1. */
  readonly movingShare: number;
}

/**
 * Ranks the candidates, the first victim first: over a memory limit; over the requests; lower priority; larger usage
 * relative to the requests; larger share of the swap-in. Pods without samples come last. `before` is an earlier
 * snapshot, the base of each pod's share of the swap-in.
 */
export function rankVictims(
  snapshot: Snapshot,
  before: Snapshot | undefined,
  config: VictimConfig,
): Candidate[] {
  return rank(snapshot.pods, snapshot.containers, before?.containers ?? []).filter(
    (candidate) => neverEvictedReason(candidate.pod, candidate, config) === undefined,
  );
}

/** Ranks the pods that are already leaving, by the same order. */
export function rankLeaving(snapshot: Snapshot, config: VictimConfig): Candidate[] {
  return rank(snapshot.pods, snapshot.containers, []).filter((candidate) =>
    isLeaving(neverEvictedReason(candidate.pod, candidate, config)),
  );
}

function rank(
  pods: readonly Pod[],
  containers: readonly ContainerSample[],
  before: readonly ContainerSample[],
): Candidate[] {
  const moved = refaultedPages(containers, before);
  const samples = Map.groupBy(containers, ({ podUid }) => podUid);
  return pods.map((pod) => candidateOf(pod, samples.get(pod.uid) ?? [], moved)).sort(byRank);
}

/** Pages swapped in, by container and in total. */
interface RefaultedPages {
  readonly of: ReadonlyMap<string, number>;
  readonly total: number;
}

function refaultedPages(now: readonly ContainerSample[], before: readonly ContainerSample[]): RefaultedPages {
  const earlier = new Map(before.map(({ id, anonRefaults }) => [id, anonRefaults]));
  // All refaults of a new container are after the earlier snapshot.
  const of = new Map(
    now.map(({ id, anonRefaults }) => [id, Math.max(0, anonRefaults - (earlier.get(id) ?? 0))]),
  );
  return { of, total: [...of.values()].reduce((sum, pages) => sum + pages, 0) };
}

function candidateOf(pod: Pod, samples: readonly ContainerSample[], moved: RefaultedPages): Candidate {
  // Requests of completed init containers do not count.
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

// The working set as the kubelet computes it: usage less inactive page cache (cadvisor
// container/libcontainer/handler.go:839-862).
function usageOf({ memoryBytes, inactiveFileBytes, swapBytes }: ContainerSample): number {
  return Math.max(0, memoryBytes - inactiveFileBytes) + swapBytes;
}

function limitOf(pod: Pod, { id }: ContainerSample): number {
  return (
    pod.containers.find((container) => container.id === id)?.memoryLimitBytes ?? Number.POSITIVE_INFINITY
  );
}

type Comparator = (a: Candidate, b: Candidate) => number;

const usageKnown: Comparator = (a, b) =>
  Number(b.usageBytes !== undefined) - Number(a.usageBytes !== undefined);
const overLimit: Comparator = (a, b) => Number(b.isOverLimit) - Number(a.isOverLimit);
const overRequest: Comparator = (a, b) => Number(b.isOverRequest) - Number(a.isOverRequest);
const priority: Comparator = (a, b) => (a.pod.priority ?? 0) - (b.pod.priority ?? 0);
const excess: Comparator = (a, b) => compare(excessBytesOf(b), excessBytesOf(a));
const movingShare: Comparator = (a, b) => b.movingShare - a.movingShare;
const namespace: Comparator = (a, b) => compare(a.pod.namespace, b.pod.namespace);
const name: Comparator = (a, b) => compare(a.pod.name, b.pod.name);
const uid: Comparator = (a, b) => compare(a.pod.uid, b.pod.uid);

// As kubernetes pkg/kubelet/eviction/helpers.go, rankMemoryPressure, with wasp's own criteria before and after. The names
// come last, so that the order never depends on the list's.
const byRank = orderedBy(
  usageKnown,
  overLimit,
  overRequest,
  priority,
  excess,
  movingShare,
  namespace,
  name,
  uid,
);

function orderedBy(...comparators: readonly Comparator[]): Comparator {
  return (a, b) => comparators.reduce((difference, comparator) => difference || comparator(a, b), 0);
}

/** Usage above the requests, in bytes; negative below them. */
function excessBytesOf({ usageBytes, requestBytes }: Candidate): number {
  return usageBytes === undefined ? Number.NEGATIVE_INFINITY : usageBytes - requestBytes;
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sumOf<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((sum, item) => sum + figure(item), 0);
}

/** Describes in words the values that rank a candidate, in the order of their weight. */
export function rankingReason(candidate: Candidate): string {
  const { pod, usageBytes, requestBytes, isOverLimit, overLimitBytes, movingShare } = candidate;
  if (usageBytes === undefined) return "no figures";
  const excessBytes = usageBytes - requestBytes;
  const parts = [
    isOverLimit ? `over its memory limit by ${formatRounded(overLimitBytes)}` : undefined,
    `${excessBytes > 0 ? "over" : "under"} its requests by ${formatRounded(Math.abs(excessBytes))}`,
    `priority ${pod.priority ?? 0}`,
    movingShare > 0 ? `${Math.round(movingShare * 100)} % of the swap-in` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
