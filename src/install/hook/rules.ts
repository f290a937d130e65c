import { applicable } from "../engine/applicable.ts";
import { install } from "../finding/remedy.ts";
import { checksOn, error, note, ok, warning } from "../finding/rule.ts";
import type { KubeletCheckFacts } from "../kubelet/rules.ts";
import { type HookFile, hooksInForce, isWaspHook, pathOf, runOfWasp } from "./files.ts";

/** Facts about OCI hooks for the rules. */
export interface HookCheckFacts {
  /** The folders from which CRI-O loads hooks, in rising precedence. */
  readonly hookFolders: readonly string[];
  /** All hooks in those folders and in the usual folders for hooks. */
  readonly hookFiles: readonly HookFile[];
}

const check = checksOn<HookCheckFacts & KubeletCheckFacts>();

// CRI-O runs prestart hooks at createRuntime.
const STAGES = ["createRuntime", "prestart"];

/** Requires a definition of wasp's hook that the runtime accepts. */
export const hook = check({
  id: "hook",
  needs: ["runtime", "hookFiles", "hookFolders"],
  right:
    "the definition of wasp's hook is installed and valid, and runs wasp, behind its guard, before a container's first instruction",
  judge: ({ runtime, hookFiles, hookFolders }) => {
    if (runtime === "containerd") return undefined;
    const own = ownHooks(hookFiles, hookFolders);
    if (own.length === 0) return error("no hook runs wasp", install("hook"));
    const faults = own.flatMap((file) => faultsOf(file).map((fault) => `${pathOf(file)}: ${fault}`));
    if (faults.length > 0) return error(faults.join("; "), install("hook"));
    const unguarded = own.filter(
      ({ definition }) => "path" in definition && !runOfWasp(definition)?.isGuarded,
    );
    if (unguarded.length === 0) return ok(own.map(pathOf).join(", "));
    const paths = unguarded.map(pathOf).join(", ");
    return warning(
      `${paths}: it runs wasp without its guard: no container starts while wasp is missing or fails`,
      install("hook"),
    );
  },
});

// The hooks in force, or if there are none, those that were meant to be.
function ownHooks(files: readonly HookFile[], folders: readonly string[]): readonly HookFile[] {
  const inForce = hooksInForce(files, folders).filter(isWaspHook);
  return inForce.length > 0 ? inForce : files.filter(isWaspHook);
}

function faultsOf({ definition, hasExecutable, hasWasp }: HookFile): readonly string[] {
  if ("complaints" in definition) return definition.complaints;
  const { path, args, stages, canRun } = definition;
  const wasp = runOfWasp(definition);
  return applicable(
    !hasExecutable && `its executable ${path} is not there, so the runtime silently ignores it`,
    hasExecutable &&
      !hasWasp &&
      `it runs ${wasp?.path}, which is not there: containers start without wasp's limit`,
    wasp === undefined && `it runs ${path} with ${JSON.stringify(args)}, not wasp hook`,
    !canRun && "its conditions never hold, so no container runs it",
    !stages.some((stage) => STAGES.includes(stage)) &&
      `it runs at ${stages.join(", ")} and not at createRuntime`,
  );
}

/** Requires that the runtime loads this definition, and no other of the same name. */
export const hookLoaded = check({
  id: "hook-loaded",
  needs: ["runtime", "hookFiles", "hookFolders"],
  right: "the runtime's hooks_dir has the folder of the definition, and no other definition replaces it",
  judge: ({ runtime, hookFiles, hookFolders }) => {
    const own = hookFiles.filter(isWaspHook);
    if (runtime === "containerd" || own.length === 0) return undefined;
    const folders = hookFolders.join(", ");
    const inForce = hooksInForce(hookFiles, hookFolders).filter(isWaspHook);
    const [one, ...others] = inForce;
    if (one === undefined)
      return error(
        `${own.map(pathOf).join(", ")} is not in a folder of hooks_dir: ${folders}`,
        install("hook", "--only cri-o --restart"),
      );
    if (others.length > 0)
      return warning(
        `wasp runs twice for each container: ${inForce.map(pathOf).join(" and ")}`,
        `rm ${others.map(pathOf).join(" ")}`,
      );
    const hidden = own.filter((file) => file !== one && hookFolders.includes(file.folder));
    if (hidden.length === 0) return ok(`hooks_dir is ${folders}`);
    return note(`${pathOf(one)} replaces ${hidden.map(pathOf).join(", ")}`);
  },
});

/** Requires that all hooks are valid: an invalid one keeps CRI-O from starting. */
export const hooksValid = check({
  id: "hooks-valid",
  needs: ["runtime", "hookFiles", "hookFolders"],
  right: "all hooks in hooks_dir are valid: with an invalid one, CRI-O does not start again",
  judge: ({ runtime, hookFiles, hookFolders }) => {
    if (runtime === "containerd") return undefined;
    const own = ownHooks(hookFiles, hookFolders);
    const bad = hookFiles.flatMap((file) => {
      const isRead = hookFolders.includes(file.folder) && !own.includes(file);
      const { definition } = file;
      return isRead && "complaints" in definition ? { path: pathOf(file), ...definition } : [];
    });
    if (bad.length === 0) return ok("all are valid");
    return error(
      bad.map(({ path, complaints }) => `${path}: ${complaints.join(", ")}`).join("; "),
      `correct or remove ${bad.map(({ path }) => path).join(" ")}`,
    );
  },
});
