import type { Journal, Made } from "./made.ts";
import type { Part } from "./part.ts";

/**
 * The order in which parts are undone: the hook first, so that no container gets swap any more; the swap before the
 * settings that let the node live with it; the binary last, as every container would fail whose hook's binary is gone.
 */
const UNDO_ORDER: readonly Part[] = [
  "hook",
  "swap",
  "system-slice",
  "kubelet",
  "cri-o",
  "containerd",
  "binary",
];

/** What becomes of a thing that wasp made. */
export interface Undo {
  readonly made: Made;
  readonly action: /** It goes. */
    | "remove"
    /** What was there before comes back. */
    | "restore"
    /** The command that undoes it is run. */
    | "run"
    /** It stays: it is no longer as wasp made it, or not empty. */
    | "keep"
    /** It is not there, or as it was before. */
    | "none";
  readonly why?: string;
}

/**
 * What a journal has of the chosen parts, in the order in which it is undone. Folders come after all else, those of other
 * parts too: whichever part made one, it goes with the last thing in it.
 */
export function undoOrder({ made }: Journal, chosen: readonly Part[]): readonly Made[] {
  const latestFirst = made.toReversed();
  const things = UNDO_ORDER.filter((part) => chosen.includes(part)).flatMap((part) => {
    const ofPart = latestFirst.filter((entry) => entry.part === part && entry.kind !== "folder");
    return [...ofPart.filter((entry) => !isUndoneLast(entry)), ...ofPart.filter(isUndoneLast)];
  });
  return [...things, ...latestFirst.filter(({ kind }) => kind === "folder")];
}

function isUndoneLast(entry: Made): boolean {
  return entry.kind === "command" && entry.undo.order === "last";
}

/** Why the chosen parts cannot be undone without others; none if they can. */
export function undoRefusals({ made }: Journal, chosen: readonly Part[]): readonly string[] {
  const isKept =
    made.some(({ part, kind }) => part === "hook" && kind === "file") && !chosen.includes("hook");
  if (!isKept || !chosen.includes("binary")) return [];
  return [
    "the binary cannot be removed while the hook that runs it stays: no container would start; remove the hook too",
  ];
}
