import { areStrings, isTable, type Table, tableOf } from "../target/table.ts";

/** Definition of an OCI hook, in the fields that wasp checks. */
export interface HookDefinition {
  /** Path of the executable. */
  readonly path: string;
  readonly args: readonly string[];
  readonly stages: readonly string[];
  /** True if its conditions can hold for a container. */
  readonly canRun: boolean;
}

/**
 * Parses a hook definition as CRI-O and podman do (go.podman.io/common pkg/hooks/1.0.0, hook.go and when.go), or returns
 * the complaints for which they reject it. A definition that is rejected keeps CRI-O from starting. The caller checks that
 * the executable exists.
 */
export function parseHookDefinition(
  text: string,
): HookDefinition | { readonly complaints: readonly string[] } {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { complaints: [`not JSON: ${(error as Error).message}`] };
  }
  if (!isTable(document)) return { complaints: ["not a JSON object"] };
  const complaints = [
    ...versionComplaints(document),
    ...commandComplaints(document),
    ...stageComplaints(document),
    ...conditionComplaints(document),
  ];
  return complaints.length > 0 ? { complaints } : definitionOf(document);
}

const VERSION = "1.0.0";
const STAGES = ["createContainer", "createRuntime", "prestart", "poststart", "poststop", "startContainer"];

function versionComplaints({ version }: Table): string[] {
  return version === VERSION ? [] : [`version is ${JSON.stringify(version)}, not ${JSON.stringify(VERSION)}`];
}

function commandComplaints({ hook }: Table): string[] {
  if (!isTable(hook)) return ["hook is missing: it is an object with path and args"];
  const { path, args, timeout } = hook;
  const complaints: string[] = [];
  if (typeof path !== "string" || !path.startsWith("/"))
    complaints.push(`hook.path is ${JSON.stringify(path)}, not an absolute path`);
  if (args !== undefined && !areStrings(args)) complaints.push("hook.args is not a list of strings");
  if (timeout !== undefined && !(typeof timeout === "number" && Number.isInteger(timeout) && timeout > 0))
    complaints.push(`hook.timeout is ${JSON.stringify(timeout)}, not a number of seconds above 0`);
  return complaints;
}

function stageComplaints({ stages }: Table): string[] {
  if (!areStrings(stages) || stages.length === 0) return ["stages is missing: it is a list of at least one"];
  const unknown = stages.filter((stage) => !STAGES.includes(stage));
  return unknown.map(
    (stage) => `unknown stage ${JSON.stringify(stage)}: the stages are ${STAGES.join(", ")}`,
  );
}

function conditionComplaints({ when }: Table): string[] {
  const { annotations, commands } = isTable(when) ? when : {};
  if (commands !== undefined && !areStrings(commands)) return ["when.commands is not a list of strings"];
  if (annotations !== undefined && !(isTable(annotations) && areStrings(Object.values(annotations))))
    return ["when.annotations is not an object of strings"];
  const patterns = [...Object.entries(annotations ?? {}).flat(), ...(commands ?? [])];
  return patterns
    .filter((pattern) => !isGoPattern(String(pattern)))
    .map((pattern) => `${JSON.stringify(pattern)} is not a regular expression of Go`);
}

function definitionOf(document: Table): HookDefinition {
  const hook = tableOf(document["hook"]);
  const { path, args } = hook;
  return {
    path: String(path),
    args: areStrings(args) ? args : [],
    stages: areStrings(document["stages"]) ? document["stages"] : [],
    canRun: canHold(tableOf(document["when"])),
  };
}

// All given conditions have to hold, and at least one has to be given; `false` never holds.
function canHold({ always, hasBindMounts, annotations, commands }: Table): boolean {
  const isGiven = always === true || hasBindMounts === true || areStrings(commands) || isTable(annotations);
  return isGiven && always !== false && hasBindMounts !== false;
}

// Go has no lookaround and no backreferences; JavaScript has no leading flags, and other syntax for named groups.
function isGoPattern(pattern: string): boolean {
  if (/\(\?<?[=!]|\\[1-9]|\\k</.test(pattern)) return false;
  const translated = pattern.replaceAll("(?P<", "(?<").replace(/\(\?[imsU]+\)/g, "");
  try {
    return new RegExp(translated).source !== "";
  } catch {
    return false;
  }
}
