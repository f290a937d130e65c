import { DROP_IN, WRITTEN_BY } from "../engine/drop-in.ts";
import type { InstallOptions } from "../engine/options.ts";
import type { PartPlan } from "../engine/plan.ts";
import type { Step } from "../engine/step.ts";

/** How CRI-O is configured, without what wasp configures. */
export interface CrioFacts {
  /** Whether there is one on the host. */
  readonly isThere: boolean;
  /** The folders in which it looks for hooks. */
  readonly hooksDirs: readonly string[];
  /** The file or the flag that says so; undefined for CRI-O's default. */
  readonly hooksDirsSetBy: string | undefined;
  /** Whether what says so counts for more than wasp's drop-in. */
  readonly isHooksDirFixed: boolean;
  /** Where its drop-ins are. */
  readonly dropInFolder: string;
  /** The runtime of pods without a RuntimeClass; undefined for CRI-O's default. */
  readonly defaultRuntime: string | undefined;
  /** The names by which a RuntimeClass can ask for a runtime. */
  readonly handlers: readonly string[];
  /** The files that cannot be understood, each with what is wrong. */
  readonly problems: readonly string[];
}

/** Where CRI-O, and podman, look for hooks unless told. */
export const DEFAULT_HOOKS_DIR = "/usr/share/containers/oci/hooks.d";

/** Where hooks of an administrator are, which CRI-O has to be told of. */
export const OVERRIDE_HOOKS_DIR = "/etc/containers/oci/hooks.d";

/** Where the hook goes. */
export interface HookPlace {
  readonly folder: string;
  /** What CRI-O's hooks_dir has to be, where it does not have the folder. */
  readonly hooksDirs: readonly string[] | undefined;
}

/** Chooses a folder for the hook: one that CRI-O reads already, if it can be written to. */
export function placeHook({ hooksDirs }: CrioFacts, isWritable: (folder: string) => boolean): HookPlace {
  // A later folder wins over an earlier one: an administrator's own file of that name then still does.
  const preferred = [DEFAULT_HOOKS_DIR, OVERRIDE_HOOKS_DIR, ...hooksDirs];
  const folder = preferred.find((candidate) => hooksDirs.includes(candidate) && isWritable(candidate));
  if (folder !== undefined) return { folder, hooksDirs: undefined };
  return { folder: OVERRIDE_HOOKS_DIR, hooksDirs: [...hooksDirs, OVERRIDE_HOOKS_DIR] };
}

/** Plans CRI-O's settings: nothing where it looks for the hook already, else a drop-in. */
export function planCrio(facts: CrioFacts, place: HookPlace, { restart }: InstallOptions): PartPlan {
  if (!facts.isThere) return { part: "cri-o", steps: [], refusals: [], notes: [] };
  const { hooksDirs } = place;
  const fixed = hooksDirs !== undefined && facts.isHooksDirFixed;
  return {
    part: "cri-o",
    steps: hooksDirs === undefined || fixed ? [] : dropIn(facts, hooksDirs, restart),
    refusals: [
      ...facts.problems,
      ...(fixed
        ? [
            `${facts.hooksDirsSetBy} sets CRI-O's hooks_dir, over any drop-in of wasp's: add ${place.folder} there`,
          ]
        : []),
    ],
    notes: [
      ...runtimeNotes(facts),
      ...(hooksDirs === undefined || restart
        ? []
        : ["CRI-O looks into the new folder for hooks once it is restarted: --restart does that"]),
    ],
  };
}

function dropIn(
  { dropInFolder }: CrioFacts,
  hooksDirs: readonly string[],
  restart: boolean,
): readonly Step[] {
  const part = "cri-o";
  // A list in a drop-in takes the place of the whole list before it.
  const text = `${WRITTEN_BY}\n[crio.runtime]\nhooks_dir = ${JSON.stringify(hooksDirs)}\n`;
  const why = "CRI-O does not look for hooks where the hook can be written";
  const file: Step = { kind: "file", part, path: `${dropInFolder}/${DROP_IN}`, text, mode: 0o644, why };
  const argv = ["systemctl", "restart", "crio.service"];
  return restart ? [file, { kind: "command", part, argv, when: "changed" }] : [file];
}

function runtimeNotes({ defaultRuntime, handlers }: CrioFacts): string[] {
  const runtime = defaultRuntime === undefined ? "its own default runtime" : `the runtime ${defaultRuntime}`;
  const others = handlers.filter((handler) => handler !== defaultRuntime);
  const classes = others.length === 0 ? "" : `; a RuntimeClass may ask for ${others.join(", ")}`;
  return [`CRI-O runs pods with ${runtime}${classes}; all of them run the hook that are runc or crun`];
}
