import type { Pod } from "../kubernetes/pod.ts";
import { formatRounded } from "../kubernetes/quantity.ts";
import { type PodFigures, podFiguresOf, type TimedPods, usageOf } from "./pod-figures.ts";
import type { ContainerSample, Snapshot } from "./snapshot.ts";
import { movingSharesOf } from "./swap-flow.ts";
import { workingSetOf } from "./working-set.ts";

/** Pod that may be evicted, with the values that rank it. */
export interface Candidate {
  readonly pod: Pod;
  /** Working set and swap, each page once; undefined without samples. */
  readonly usageBytes: number | undefined;
  /** Its part in memory; undefined without samples. */
  readonly workingSetBytes: number | undefined;
  readonly requestBytes: number;
  /** True if a container's usage, swap included, exceeds its memory limit and the swap that it was granted together. */
  readonly isOverLimit: boolean;
  /** Excess over these, of all containers together. */
  readonly overLimitBytes: number;
  readonly isOverRequest: boolean;
  /** Share of the pages that come back from swap or are newly used, from 0 to 1. */
  readonly movingShare: number;
}

/** Returns each pod of a snapshot with its values; `before` has the figures from which its share of the movement counts. */
export function candidatesOf(snapshot: Snapshot, before: TimedPods | undefined): Candidate[] {
  const figures = podFiguresOf(snapshot);
  const shares = movingSharesOf(before?.pods, figures, snapshot.pageBytes);
  const samples = Map.groupBy(snapshot.containers, ({ podUid }) => podUid);
  return snapshot.pods.map((pod) =>
    candidateOf(pod, figures.get(pod.uid), samples.get(pod.uid) ?? [], shares.get(pod.uid) ?? 0),
  );
}

/**
 * Ranks candidates, the first victim first: over a memory limit; over the requests; lower priority; larger usage relative
 * to the requests; larger share of the movement. Pods without figures come last.
 */
export function rankCandidates(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted(byRank);
}

function candidateOf(
  pod: Pod,
  figures: PodFigures | undefined,
  samples: readonly ContainerSample[],
  movingShare: number,
): Candidate {
  // Requests of completed init containers do not count. In a sandbox, no container is known by its own cgroup.
  const ids = new Set<string | undefined>(samples.map(({ id }) => id));
  const sampled = pod.containers.filter(({ id }) => ids.has(id));
  const running = sampled.length > 0 ? sampled : pod.containers;
  const requestBytes = sumOf(running, ({ memoryRequestBytes }) => memoryRequestBytes);
  const usageBytes = figures && usageOf(figures);
  const overLimitBytes = sumOf(samples, (sample) => overLimitBytesOf(pod, sample));
  return {
    pod,
    usageBytes,
    workingSetBytes: figures?.workingSetBytes,
    requestBytes,
    isOverLimit: overLimitBytes > 0,
    overLimitBytes,
    isOverRequest: usageBytes !== undefined && usageBytes > requestBytes,
    movingShare,
  };
}

/** Returns the use of a container, swap included, above its memory limit and the swap that it was granted. */
function overLimitBytesOf(pod: Pod, sample: ContainerSample): number {
  const { id, swapBytes, swapLimitBytes } = sample;
  // A container in the swap that it was granted is where it was meant to be; where that is unknown, it counts as granted.
  const grantedBytes =
    swapLimitBytes === undefined || !Number.isFinite(swapLimitBytes) ? swapBytes : swapLimitBytes;
  const limitBytes =
    pod.containers.find((container) => container.id === id)?.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
  return Math.max(0, workingSetOf(sample) + swapBytes - limitBytes - grantedBytes);
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
    movingShare > 0 ? `${Math.round(movingShare * 100)} % of what moves` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
