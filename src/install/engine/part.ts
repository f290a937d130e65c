/**
 * The parts of an installation, in the order in which they are made; they are undone in the reverse order. The binary
 * comes before the hook that runs it, and what protects the node before the swap that it is protected from.
 */
export const PARTS = ["binary", "hook", "system-slice", "swap", "kubelet", "cri-o", "containerd"] as const;

/** A part of an installation, which can be chosen or left out by itself. */
export type Part = (typeof PARTS)[number];

/** The parts that are meant by a command line: those chosen, or else all, without those left out; in their order. */
export function chooseParts(only: readonly Part[], skip: readonly Part[]): readonly Part[] {
  const chosen = only.length === 0 ? PARTS : PARTS.filter((part) => only.includes(part));
  return chosen.filter((part) => !skip.includes(part));
}
