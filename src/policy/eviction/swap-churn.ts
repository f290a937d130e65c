import type { ContainerSample } from "./snapshot.ts";

const HARDLY = 0.1;

/**
 * Tells how much of the swapping between two moments settles, from 0 to 1: the part of what was swapped out that stays
 * out, or the part of what came back that stays back, whichever is larger. A container's stays where hardly any of it goes
 * the other way. Where memory is too small for what is used, both parts are nothing: whatever goes out comes back, and
 * something else goes out for it.
 */
export function settlingOf(
  before: readonly ContainerSample[],
  now: readonly ContainerSample[],
  pageBytes: number,
): number {
  const earlier = new Map(before.map((container) => [container.id, container]));
  const moves = now.flatMap((container) => {
    const then = earlier.get(container.id);
    return then === undefined ? [] : movesOf(then, container, pageBytes);
  });
  const out = moves.map(({ wentOut, cameBack }) => ({ pages: wentOut, against: cameBack }));
  const back = moves.map(({ wentOut, cameBack }) => ({ pages: cameBack, against: wentOut }));
  return Math.max(settledPart(out), settledPart(back));
}

/** A container's swapping, in pages. */
interface Moves {
  readonly wentOut: number;
  readonly cameBack: number;
}

// A cgroup counts what comes back; what went out follows from that and from its swap.
function movesOf(before: ContainerSample, now: ContainerSample, pageBytes: number): Moves {
  const cameBack = Math.max(0, now.anonRefaults - before.anonRefaults);
  const grown = (now.swapBytes - before.swapBytes) / pageBytes;
  return { wentOut: Math.max(0, cameBack + grown), cameBack };
}

/** What part of the pages that go one way stays there: those of containers of which hardly any go the other way. */
function settledPart(moves: readonly { readonly pages: number; readonly against: number }[]): number {
  const settled = moves.filter(({ pages, against }) => against <= HARDLY * pages);
  const all = moves.reduce((sum, { pages }) => sum + pages, 0);
  return all === 0 ? 0 : settled.reduce((sum, { pages, against }) => sum + pages - against, 0) / all;
}
