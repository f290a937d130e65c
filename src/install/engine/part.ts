/**
 * Parts of an installation, in the order in which they are installed. The binary precedes the hook that runs it, and the
 * protection of system.slice precedes the swap.
 */
export const PARTS = ["binary", "hook", "system-slice", "swap", "kubelet", "cri-o", "containerd"] as const;

/** A part of an installation, which can be selected or skipped by itself. */
export type Part = (typeof PARTS)[number];

/** Returns the selected parts in the order of PARTS: those in `only`, or all if it is empty, without those in `skip`. */
export function chooseParts(only: readonly Part[], skip: readonly Part[]): readonly Part[] {
  const selected = only.length === 0 ? PARTS : PARTS.filter((part) => only.includes(part));
  return selected.filter((part) => !skip.includes(part));
}
