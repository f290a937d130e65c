import type { CrioFacts, HookPlace } from "./crio.ts";
import type { InstallOptions } from "./options.ts";
import type { PartPlan } from "./plan.ts";

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
      ...hookProblems(text).map((problem) => `the hook's definition ${problem}`),
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

const STAGES = new Set([
  "createContainer",
  "createRuntime",
  "prestart",
  "poststart",
  "poststop",
  "startContainer",
]);

/**
 * Tells what would keep CRI-O from loading a hook's definition, by the rules of go.podman.io/common/pkg/hooks/1.0.0; none
 * if nothing does. One that is there when CRI-O starts and is wrong keeps CRI-O from starting. That the executable is
 * there is left to the caller.
 */
export function hookProblems(text: string): readonly string[] {
  const definition = parse(text);
  if (definition === undefined) return ["is not a JSON object"];
  const { version, hook, when, stages } = definition;
  const path = isObject(hook) ? hook["path"] : undefined;
  return [
    ...(version === "1.0.0" ? [] : [`has version ${JSON.stringify(version)}, not "1.0.0"`]),
    ...(typeof path === "string" && path.startsWith("/")
      ? []
      : ["has no hook.path that is an absolute path"]),
    ...(Array.isArray(stages) && stages.length > 0 ? [] : ["has no stages"]),
    ...(Array.isArray(stages) ? stages : [])
      .filter((stage) => !STAGES.has(String(stage)))
      .map((stage) => `has the stage ${JSON.stringify(stage)}, which is none of ${[...STAGES].join(", ")}`),
    ...(isObject(when) ? patternsOf(when) : [])
      .filter((pattern) => !isPattern(pattern))
      .map((pattern) => `has ${JSON.stringify(pattern)}, which is no regular expression`),
    ...(isObject(when) && Object.keys(when).length > 0
      ? []
      : ["has no condition in when, so that it never runs"]),
  ];
}

function patternsOf({ annotations, commands }: Record<string, unknown>): readonly string[] {
  const pairs = isObject(annotations) ? Object.entries(annotations).flat() : [];
  return [...pairs, ...(Array.isArray(commands) ? commands : [])].map(String);
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
