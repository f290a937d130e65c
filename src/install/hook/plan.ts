import type { CrioFacts, HookPlace } from "../crio/plan.ts";
import type { InstallOptions } from "../engine/options.ts";
import type { PartPlan } from "../engine/plan.ts";
import { parseHookDefinition } from "./definition.ts";

/** What there is to know before the hook can be installed. */
export interface HookFacts {
  /** The hook's definition as wasp brings it, a JSON text. */
  readonly definition: string;
  /** Whether an executable is where the hook will look for it. */
  readonly isBinaryThere: boolean;
  readonly crio: CrioFacts;
}

/** What else is done in the same run. */
export interface HookCompany {
  readonly withBinary: boolean;
  readonly withCrio: boolean;
}

/** The name of the hook's definition. */
export const HOOK_FILE = "wasp-swap.json";

/** Plans the definition of the hook, which names the executable where it is installed. */
export function planHook(
  { definition, isBinaryThere, crio }: HookFacts,
  { folder, hooksDirs }: HookPlace,
  { binaryPath }: InstallOptions,
  { withBinary, withCrio }: HookCompany,
): PartPlan {
  const text = definition.replace(/("path": )"[^"]*"/, (_, key) => `${key}${JSON.stringify(binaryPath)}`);
  const why = "CRI-O has runc and crun run the hook before a container's first instruction";
  const isMissing = !withBinary && !isBinaryThere;
  return {
    part: "hook",
    steps: [{ kind: "file", part: "hook", path: `${folder}/${HOOK_FILE}`, text, mode: 0o644, why }],
    refusals: [
      ...problemsOf(text).map((problem) => `the hook's definition: ${problem}`),
      ...(isMissing ? [`the hook runs ${binaryPath}, which is no executable: install the binary too`] : []),
    ],
    notes: [
      ...(crio.isThere
        ? []
        : ["there is no CRI-O on this host, and nothing but CRI-O gives the hook to containers"]),
      ...(hooksDirs === undefined || withCrio || !crio.isThere
        ? []
        : [
            `CRI-O does not look for hooks in ${folder}: its hooks_dir has to be ${JSON.stringify(hooksDirs)}`,
          ]),
    ],
  };
}

function problemsOf(text: string): readonly string[] {
  const definition = parseHookDefinition(text);
  if ("complaints" in definition) return definition.complaints;
  return definition.canRun ? [] : ["its conditions never hold"];
}
