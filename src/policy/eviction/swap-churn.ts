import type { ContainerSample } from "./snapshot.ts";

const MAX_RETURNED_FRACTION = 0.1;

/**
 * Computes the share of the swapping between two moments that settles, from 0 to 1: of the pages swapped out, those that
 * stay out, or of the pages swapped in, those that stay in, whichever share is larger. A container's pages settle if at
 * most a tenth as many go the other way. Where memory is too small for the working sets, both shares are near 0: each
 * page that goes out comes back, and another one goes out for it.
 */
export function swapSettledShare(
  before: readonly ContainerSample[],
  now: readonly ContainerSample[],
  pageBytes: number,
): number {
  const earlier = new Map(before.map((container) => [container.id, container]));
  const swapped = now.flatMap((container) => {
    const then = earlier.get(container.id);
    return then === undefined ? [] : swappedPages(then, container, pageBytes);
  });
  const out = swapped.map(({ outPages, inPages }) => ({ pages: outPages, returned: inPages }));
  const back = swapped.map(({ outPages, inPages }) => ({ pages: inPages, returned: outPages }));
  return Math.max(settledShareOf(out), settledShareOf(back));
}

/** Swap traffic of a container. */
interface SwappedPages {
  readonly outPages: number;
  readonly inPages: number;
}

// A cgroup counts the pages that come back; the pages that went out follow from those and from its swap usage.
function swappedPages(before: ContainerSample, now: ContainerSample, pageBytes: number): SwappedPages {
  const inPages = Math.max(0, now.anonRefaults - before.anonRefaults);
  const grownPages = (now.swapBytes - before.swapBytes) / pageBytes;
  return { outPages: Math.max(0, inPages + grownPages), inPages };
}

/** Computes the share of the pages moved in one direction that stay: those of containers with few pages the other way. */
function settledShareOf(moves: readonly { readonly pages: number; readonly returned: number }[]): number {
  const settled = moves.filter(({ pages, returned }) => returned <= MAX_RETURNED_FRACTION * pages);
  const all = moves.reduce((sum, { pages }) => sum + pages, 0);
  return all === 0 ? 0 : settled.reduce((sum, { pages, returned }) => sum + pages - returned, 0) / all;
}
