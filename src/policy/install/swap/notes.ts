import { formatRounded } from "../../bytes.ts";
import type { SwapArea } from "./facts.ts";
import { nameOfTarget, type SwapTarget } from "./options.ts";

/** What there is to know of other swap, and in which order all is filled; nothing where there is no other. */
export function otherSwapNotes(
  others: readonly SwapArea[],
  target: SwapTarget,
  priority: number | undefined,
): readonly string[] {
  if (others.length === 0) return [];
  // What has no priority of its own gets one below all that are there.
  const own = { path: nameOfTarget(target), priority: priority ?? Number.NEGATIVE_INFINITY };
  const order = [...others, own]
    .sort((a, b) => b.priority - a.priority)
    .map(({ path, priority }) => (Number.isFinite(priority) ? `${path} (${priority})` : path));
  return [
    `other swap is there, and stays: ${inWords(others)}`,
    `the kernel fills the swap of the highest priority first: ${order.join(", then ")}`,
  ];
}

/** What there is to know where nothing was chosen. */
export function unchosenNote(others: readonly SwapArea[]): string {
  return others.length > 0
    ? `swap stays as it is: ${inWords(others)}`
    : "there is no swap, and none is set up: ask for it with --overcommit 150% or --swap-size 8Gi";
}

/** What there is to know where others set up swap that is as good. */
export function enoughNote(others: readonly SwapArea[]): string {
  return `there is swap enough, set up by somebody else: ${inWords(others)}`;
}

/** A priority that is not what was asked for. */
export function priorityNote({ path, priority }: SwapArea, asked: number, unit: string): string {
  return `${path} has priority ${priority} until the next start, then ${asked}; at once with: systemctl restart ${unit}, which swaps everything back in`;
}

function inWords(areas: readonly SwapArea[]): string {
  return areas
    .map(
      ({ path, kind, bytes, priority }) => `${path} (${kind}, ${formatRounded(bytes)}, priority ${priority})`,
    )
    .join("; ");
}
