import { isSwapped, type Region } from "./memory.ts";

/** A region that the kernel may reclaim from, and how many of its pages may yet go to swap. */
export interface Reclaimable {
  readonly region: Region;
  /** Shared by all regions of one limit; what is taken is subtracted. */
  readonly swap: SwapAllowance;
}

/** The swap that a pod may still use. */
export interface SwapAllowance {
  pages: number;
}

/** What reclaim achieved, in pages. */
export interface Reclaimed {
  readonly swappedOutPages: number;
  readonly droppedPages: number;
}

// Pages of files are cheaper to drop: the kernel prefers them about that much (vm.swappiness 60 of 200).
const FILE_PREFERENCE = 2;
// A page that is never used is still found only by scanning.
const LEAST_USES_PER_SECOND = 0.002;

/**
 * Takes pages out of memory, from each region in proportion to how many it has there and how seldom they are used, as far
 * as limits of swap and the room in it let it.
 */
export function reclaim(
  regions: readonly Reclaimable[],
  wantedPages: number,
  node: SwapAllowance,
): Reclaimed {
  let swappedOutPages = 0;
  let droppedPages = 0;
  // What one region could not give, the others give in the next round.
  for (let round = 0; round < 3; round += 1) {
    const missing = wantedPages - swappedOutPages - droppedPages;
    if (missing < 1) break;
    const weights = regions.map((one) => weightOf(one, node));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (total === 0) break;
    regions.forEach(({ region, swap }, index) => {
      const share = (missing * (weights[index] ?? 0)) / total;
      if (!isSwapped(region)) {
        droppedPages += take(region, share);
        return;
      }
      const pages = take(region, Math.min(share, swap.pages, node.pages));
      swap.pages -= pages;
      node.pages -= pages;
      swappedOutPages += pages;
    });
  }
  return { swappedOutPages, droppedPages };
}

function weightOf({ region, swap }: Reclaimable, node: SwapAllowance): number {
  const { residentPages, usesPerSecond } = region;
  if (isSwapped(region) && Math.min(swap.pages, node.pages) < 1) return 0;
  const preference = isSwapped(region) ? 1 : FILE_PREFERENCE;
  return (preference * residentPages) / Math.max(LEAST_USES_PER_SECOND, usesPerSecond);
}

function take(region: Region, wantedPages: number): number {
  const pages = Math.min(region.residentPages, Math.max(0, wantedPages));
  region.residentPages -= pages;
  region.awayPages += pages;
  return pages;
}
