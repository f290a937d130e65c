import { isSwapped, type Region } from "./memory.ts";

/** A reclaimable region with its swap allowance. */
export interface Reclaimable {
  readonly region: Region;
  /** Shared by all regions of one limit; reduced by each swapped page. */
  readonly swap: SwapAllowance;
}

/** Swap pages that may still be used. */
export interface SwapAllowance {
  pages: number;
}

/** Result of reclaim, in pages. */
export interface Reclaimed {
  readonly swappedOutPages: number;
  readonly droppedPages: number;
}

// The kernel prefers file pages by about this factor (vm.swappiness 60 of 200).
const FILE_PREFERENCE = 2;
/** Default of the uses a second below which pages are equally cold to the kernel: even an unused page is found only by scanning. */
export const COLD_USES_PER_SECOND = 0.002;

/**
 * Reclaims pages from each region in proportion to its resident pages and to their disuse, within the swap limits and the
 * free swap.
 */
export function reclaim(
  regions: readonly Reclaimable[],
  wantedPages: number,
  node: SwapAllowance,
  coldUsesPerSecond = COLD_USES_PER_SECOND,
): Reclaimed {
  let swappedOutPages = 0;
  let droppedPages = 0;
  // The next round takes from other regions what one could not give.
  for (let round = 0; round < 3; round += 1) {
    const missing = wantedPages - swappedOutPages - droppedPages;
    if (missing < 1) break;
    const weights = regions.map((one) => weightOf(one, node, coldUsesPerSecond));
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

function weightOf({ region, swap }: Reclaimable, node: SwapAllowance, coldUsesPerSecond: number): number {
  const { residentPages, usesPerSecond } = region;
  if (isSwapped(region) && Math.min(swap.pages, node.pages) < 1) return 0;
  const preference = isSwapped(region) ? 1 : FILE_PREFERENCE;
  return (preference * residentPages) / Math.max(coldUsesPerSecond, usesPerSecond);
}

function take(region: Region, wantedPages: number): number {
  const pages = Math.min(region.residentPages, Math.max(0, wantedPages));
  region.residentPages -= pages;
  region.awayPages += pages;
  return pages;
}
