import type { CrioFacts, HookFolder } from "../crio/plan.ts";
import { applicable } from "../engine/applicable.ts";
import type { InstallOptions } from "../engine/options.ts";
import type { PartPlan } from "../engine/plan.ts";
import { parseHookDefinition } from "./definition.ts";

/** Facts by which the hook is planned. */
export interface HookFacts {
  /** The hook's definition as it comes with wasp, a JSON text. */
  readonly definition: string;
  /** True if the executable that the hook runs is installed. */
  readonly isBinaryThere: boolean;
  readonly crio: CrioFacts;
}

/** Other parts that the same run installs. */
export interface HookInstallContext {
  readonly withBinary: boolean;
  readonly withCrio: boolean;
}

/** File name of the hook's definition. */
export const HOOK_FILE = "wasp-swap.json";

// Path of wasp in the definition that comes with it.
const PACKAGED_PATH = "/usr/local/bin/wasp";

/** Plans the definition of the hook, with the path of the installed executable. */
export function planHook(
  { definition, isBinaryThere, crio }: HookFacts,
  { folder, hooksDirs }: HookFolder,
  { binaryPath }: InstallOptions,
  { withBinary, withCrio }: HookInstallContext,
): PartPlan {
  const text = definition.replace(JSON.stringify(PACKAGED_PATH), () => JSON.stringify(binaryPath));
  const why = "runc and crun run the hook before a container's first instruction";
  const isMissing = !withBinary && !isBinaryThere;
  return {
    part: "hook",
    steps: [{ kind: "file", part: "hook", path: `${folder}/${HOOK_FILE}`, text, mode: 0o644, why }],
    refusals: applicable(
      ...problemsOf(text).map((problem) => `the hook's definition: ${problem}`),
      isMissing && `the hook runs ${binaryPath}, which is no executable: install the binary too`,
    ),
    notes: applicable(
      !crio.isThere && "there is no CRI-O on this host, and no other runtime runs the hook",
      hooksDirs !== undefined &&
        !withCrio &&
        crio.isThere &&
        `CRI-O loads no hooks from ${folder}: its hooks_dir has to be ${JSON.stringify(hooksDirs)}`,
    ),
  };
}

function problemsOf(text: string): readonly string[] {
  const definition = parseHookDefinition(text);
  if ("complaints" in definition) return definition.complaints;
  return definition.canRun ? [] : ["its conditions never hold"];
}
