import type { Journal, Made } from "./journal.ts";
import type { Part } from "./part.ts";
import { type Plan, stepsOf } from "./plan.ts";
import type { Step } from "./step.ts";

/**
 * The order in which parts are undone: the hook and NRI first, so that no container gets swap any more; the swap before the
 * settings that let the node live with it; the binary last, as every container would fail whose hook's binary is gone.
 */
const UNDO_ORDER: readonly Part[] = [
  "hook",
  "containerd",
  "swap",
  "system-slice",
  "kubelet",
  "cri-o",
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
    | "none"
    /** It cannot be undone as things are; with one, nothing is. */
    | "refuse";
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

/**
 * What a journal has of a plan's parts, and the plan no longer: files, links and lines of a run with other options, or
 * under other circumstances; in the order in which they are undone. Commands are not in it, as a plan leaves one out that
 * need not be run again.
 */
export function outdatedMade(journal: Journal, plan: Plan): readonly Made[] {
  const planned = new Set(stepsOf(plan).map(placeOf));
  // A plan without a step tells that nothing is known to be needed, not that what was made is to go.
  const parts = plan.parts.filter(({ steps }) => steps.length > 0).map(({ part }) => part);
  return undoOrder(journal, parts).filter(
    (made) => made.kind !== "command" && made.kind !== "folder" && !planned.has(placeOf(made)),
  );
}

function placeOf(thing: Made | Step): string {
  return JSON.stringify("path" in thing ? [thing.path, "line" in thing ? thing.line : ""] : thing.argv);
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
