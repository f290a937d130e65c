import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import { nameOfTarget, type SwapTarget } from "../engine/options.ts";
import type { SwapArea } from "./areas.ts";

/** Returns notes on other swap and on the order in which the kernel fills all of it; none without other swap. */
export function otherSwapNotes(
  others: readonly SwapArea[],
  target: SwapTarget,
  priority: number | undefined,
): readonly string[] {
  if (others.length === 0) return [];
  // Without a priority, the kernel assigns one below all existing ones.
  const own = { name: nameOfTarget(target), priority: priority ?? Number.NEGATIVE_INFINITY };
  const order = [...others, own]
    .sort((a, b) => b.priority - a.priority)
    .map(({ name, priority }) => (Number.isFinite(priority) ? `${name} (${priority})` : name));
  return [
    `other swap is active and stays as it is: ${describeAreas(others)}`,
    `the kernel fills the swap of the highest priority first: ${order.join(", then ")}`,
  ];
}

/** Returns the note for a run that requests no swap. */
export function noRequestNote(others: readonly SwapArea[]): string {
  return others.length > 0
    ? `swap stays as it is: ${describeAreas(others)}`
    : "there is no swap, and none is set up: request it with --overcommit 150% or --swap-size 8Gi";
}

/** Returns the note for a host with enough swap that wasp did not set up. */
export function enoughNote(others: readonly SwapArea[]): string {
  return `there is enough swap already, not set up by wasp: ${describeAreas(others)}`;
}

/** Returns the note for active swap with another priority than requested. */
export function priorityNote({ name, priority }: SwapArea, asked: number, unit: string): string {
  return `${name} has priority ${priority} until the next boot, then ${asked}; to change it now: systemctl restart ${unit}, which swaps everything back in`;
}

function describeAreas(areas: readonly SwapArea[]): string {
  return areas
    .map(
      ({ name, medium, sizeBytes, priority }) =>
        `${name} (${medium}, ${formatRounded(sizeBytes)}, priority ${priority})`,
    )
    .join("; ");
}
