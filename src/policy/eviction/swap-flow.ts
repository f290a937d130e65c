import type { PodFigures } from "./pod-figures.ts";

/** Pages that a pod moved between two moments. */
export interface SwapFlow {
  /** Pages that came back from swap. */
  readonly inPages: number;
  readonly outPages: number;
  /** Growth of its working set; negative if it shrank. */
  readonly grownPages: number;
}

/** Part of what is swapped out that comes back below which pages go one way. */
export const ONE_WAY_FRACTION = 0.1;

/** Returns each pod's flow between two moments; of a pod that is new, its memory is its growth. */
export function swapFlowsOf(
  before: ReadonlyMap<string, PodFigures>,
  now: ReadonlyMap<string, PodFigures>,
  pageBytes: number,
): ReadonlyMap<string, SwapFlow> {
  return new Map([...now].map(([uid, figures]) => [uid, flowOf(before.get(uid), figures, pageBytes)]));
}

// A cgroup counts the pages that come back; the pages that went out follow from those and from its swap usage.
function flowOf(before: PodFigures | undefined, now: PodFigures, pageBytes: number): SwapFlow {
  const grownPages = (now.workingSetBytes - (before?.workingSetBytes ?? 0)) / pageBytes;
  if (before === undefined) return { inPages: 0, outPages: 0, grownPages };
  const inPages = Math.max(0, now.anonRefaults - before.anonRefaults);
  const outPages = Math.max(0, inPages + (now.swapBytes - before.swapBytes) / pageBytes);
  return { inPages, outPages, grownPages };
}

/**
 * Returns the share of the pages swapped out that settles, from 0 to 1: pages of pods that swap out and read next to
 * nothing back, as far as others take the room. That ends by itself, unlike a pod that grows into swap for ever.
 */
export function settlingShareOf(flows: Iterable<SwapFlow>): number {
  const all = [...flows];
  const isOneWay = ({ inPages, outPages }: SwapFlow) =>
    outPages > 0 && inPages <= ONE_WAY_FRACTION * outPages;
  const outPages = sumOf(all, (flow) => flow.outPages);
  const settledPages = sumOf(all.filter(isOneWay), (flow) => flow.outPages - flow.inPages);
  const takenPages = sumOf(
    all.filter((flow) => !isOneWay(flow)),
    (flow) => flow.grownPages,
  );
  return outPages === 0 ? 0 : Math.max(0, Math.min(settledPages, takenPages)) / outPages;
}

/** Returns the pages that a pod takes: what its memory and its swap grow by together, as what goes out alone is not its doing. */
export function takenPagesOf({ inPages, outPages, grownPages }: SwapFlow): number {
  return Math.max(0, grownPages + outPages - inPages);
}

/** Returns each pod's part of the pages that come back from swap or are newly used, from 0 to 1. */
export function movingSharesOf(
  before: ReadonlyMap<string, PodFigures> | undefined,
  now: ReadonlyMap<string, PodFigures>,
  pageBytes: number,
): ReadonlyMap<string, number> {
  if (before === undefined) return new Map();
  const flows = [...swapFlowsOf(before, now, pageBytes)];
  const moved = flows.map(([uid, flow]) => [uid, flow.inPages + takenPagesOf(flow)] as const);
  const total = moved.reduce((sum, [, pages]) => sum + pages, 0);
  return new Map(moved.map(([uid, pages]) => [uid, total === 0 ? 0 : pages / total]));
}

/** Returns the part of what is swapped out that comes back, from 0 to 1; 1 if pages only come back. */
export function returnedShareOf(flows: Iterable<SwapFlow>): number {
  const all = [...flows];
  const outPages = sumOf(all, (flow) => flow.outPages);
  const inPages = sumOf(all, (flow) => flow.inPages);
  if (outPages === 0) return inPages > 0 ? 1 : 0;
  return Math.min(1, inPages / outPages);
}

function sumOf(flows: readonly SwapFlow[], figure: (flow: SwapFlow) => number): number {
  return flows.reduce((sum, flow) => sum + figure(flow), 0);
}
