import { applicable } from "../engine/applicable.ts";
import { DROP_IN, WRITTEN_BY } from "../engine/drop-in.ts";
import type { InstallOptions } from "../engine/options.ts";
import { type PartPlan, partPlan } from "../engine/plan.ts";
import type { Step } from "../engine/step.ts";
import { restartUnit } from "../engine/systemd-unit.ts";

/** Configuration of CRI-O as the planner sees it: without wasp's own drop-in. */
export interface CrioFacts {
  /** True if the host has CRI-O. */
  readonly isThere: boolean;
  /** The folders from which it loads hooks. */
  readonly hooksDirs: readonly string[];
  /** The file, flag or variable that sets these folders; undefined for CRI-O's default. */
  readonly hooksDirsSetBy: string | undefined;
  /** True if that overrides wasp's drop-in. */
  readonly isHooksDirFixed: boolean;
  /** Its folder of drop-ins. */
  readonly dropInFolder: string;
  /** The runtime of pods without a RuntimeClass; undefined for CRI-O's default. */
  readonly defaultRuntime: string | undefined;
  /** The names by which a RuntimeClass can ask for a runtime. */
  readonly handlers: readonly string[];
  /** Errors of the files that cannot be parsed, one each. */
  readonly problems: readonly string[];
}

/** Default folder for hooks of CRI-O and podman. */
export const DEFAULT_HOOKS_DIR = "/usr/share/containers/oci/hooks.d";

/** Folder for hooks of an administrator, which CRI-O reads only where it is configured. */
export const OVERRIDE_HOOKS_DIR = "/etc/containers/oci/hooks.d";

/** Folder for wasp's hook. */
export interface HookFolder {
  readonly folder: string;
  /** The hooks_dir that CRI-O needs; undefined where its own has the folder already. */
  readonly hooksDirs: readonly string[] | undefined;
}

/** Chooses the folder for the hook: one from which CRI-O loads hooks already, if one of them is writable. */
export function chooseHookFolder(
  { hooksDirs }: CrioFacts,
  isWritable: (folder: string) => boolean,
): HookFolder {
  // Of two files with one name, CRI-O takes the one in the later folder: an administrator's own file stays in force.
  const preferred = [DEFAULT_HOOKS_DIR, OVERRIDE_HOOKS_DIR, ...hooksDirs];
  const folder = preferred.find((candidate) => hooksDirs.includes(candidate) && isWritable(candidate));
  if (folder !== undefined) return { folder, hooksDirs: undefined };
  return { folder: OVERRIDE_HOOKS_DIR, hooksDirs: [...hooksDirs, OVERRIDE_HOOKS_DIR] };
}

/** Plans CRI-O's settings: a drop-in where CRI-O does not load hooks from the hook's folder. */
export function planCrio(facts: CrioFacts, hookFolder: HookFolder, { restart }: InstallOptions): PartPlan {
  if (!facts.isThere) return partPlan("cri-o", {});
  const { folder, hooksDirs } = hookFolder;
  const isOverridden = hooksDirs !== undefined && facts.isHooksDirFixed;
  return {
    part: "cri-o",
    steps: hooksDirs === undefined || isOverridden ? [] : dropIn(facts, hooksDirs, restart),
    refusals: applicable(
      ...facts.problems,
      isOverridden &&
        `${facts.hooksDirsSetBy} sets CRI-O's hooks_dir and overrides wasp's drop-in: add ${folder} there`,
    ),
    notes: applicable(
      runtimeNote(facts),
      hooksDirs !== undefined &&
        !restart &&
        "CRI-O loads hooks from the new folder once it is restarted: --restart does that",
    ),
  };
}

function dropIn(
  { dropInFolder }: CrioFacts,
  hooksDirs: readonly string[],
  restart: boolean,
): readonly Step[] {
  const part = "cri-o";
  // A list in a drop-in replaces the whole list before it.
  const text = `${WRITTEN_BY}\n[crio.runtime]\nhooks_dir = ${JSON.stringify(hooksDirs)}\n`;
  const why = "CRI-O loads no hooks from the folder that the hook is written to";
  const file: Step = { kind: "file", part, path: `${dropInFolder}/${DROP_IN}`, text, mode: 0o644, why };
  return restart ? [file, restartUnit(part, "crio.service")] : [file];
}

function runtimeNote({ defaultRuntime, handlers }: CrioFacts): string {
  const runtime = defaultRuntime === undefined ? "its own default runtime" : `the runtime ${defaultRuntime}`;
  const others = handlers.filter((handler) => handler !== defaultRuntime);
  const classes = others.length === 0 ? "" : `; a RuntimeClass may ask for ${others.join(", ")}`;
  return `CRI-O runs pods with ${runtime}${classes}; those of them that are runc or crun run the hook`;
}
