import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import { nameOfTarget, type SwapTarget } from "../engine/options.ts";
import type { SwapArea } from "./areas.ts";

/** What there is to know of other swap, and in which order all is filled; nothing where there is no other. */
export function otherSwapNotes(
  others: readonly SwapArea[],
  target: SwapTarget,
  priority: number | undefined,
): readonly string[] {
  if (others.length === 0) return [];
  // What has no priority of its own gets one below all that are there.
  const own = { name: nameOfTarget(target), priority: priority ?? Number.NEGATIVE_INFINITY };
  const order = [...others, own]
    .sort((a, b) => b.priority - a.priority)
    .map(({ name, priority }) => (Number.isFinite(priority) ? `${name} (${priority})` : name));
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
export function priorityNote({ name, priority }: SwapArea, asked: number, unit: string): string {
  return `${name} has priority ${priority} until the next start, then ${asked}; at once with: systemctl restart ${unit}, which swaps everything back in`;
}

function inWords(areas: readonly SwapArea[]): string {
  return areas
    .map(
      ({ name, medium, sizeBytes, priority }) =>
        `${name} (${medium}, ${formatRounded(sizeBytes)}, priority ${priority})`,
    )
    .join("; ");
}
