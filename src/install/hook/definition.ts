/** A definition of an OCI hook that a runtime loads, as far as wasp looks at it. */
export interface HookDefinition {
  /** Of the executable. */
  readonly path: string;
  readonly args: readonly string[];
  readonly stages: readonly string[];
  /** Whether its conditions can hold for some container. */
  readonly canRun: boolean;
}

/**
 * Reads a hook definition by the rules by which CRI-O and podman load one (go.podman.io/common pkg/hooks/1.0.0, hook.go
 * and when.go), or tells each thing for which they refuse it. One that is there when CRI-O starts and is refused keeps
 * CRI-O from starting. That the executable is there is left to the caller.
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
  if (!isObject(document)) return { complaints: ["not a JSON object"] };
  const complaints = [
    ...versionComplaints(document),
    ...commandComplaints(document),
    ...stageComplaints(document),
    ...conditionComplaints(document),
  ];
  return complaints.length > 0 ? { complaints } : definitionOf(document);
}

type JsonObject = Readonly<Record<string, unknown>>;

const VERSION = "1.0.0";
const STAGES = ["createContainer", "createRuntime", "prestart", "poststart", "poststop", "startContainer"];

function versionComplaints({ version }: JsonObject): string[] {
  return version === VERSION ? [] : [`version is ${JSON.stringify(version)}, not ${JSON.stringify(VERSION)}`];
}

function commandComplaints({ hook }: JsonObject): string[] {
  if (!isObject(hook)) return ["hook is missing: an object with path and args"];
  const { path, args, timeout } = hook;
  const complaints: string[] = [];
  if (typeof path !== "string" || !path.startsWith("/"))
    complaints.push(`hook.path is ${JSON.stringify(path)}, not an absolute path`);
  if (args !== undefined && !areTexts(args)) complaints.push("hook.args is not a list of texts");
  if (timeout !== undefined && !(typeof timeout === "number" && Number.isInteger(timeout) && timeout > 0))
    complaints.push(`hook.timeout is ${JSON.stringify(timeout)}, not a number of seconds above 0`);
  return complaints;
}

function stageComplaints({ stages }: JsonObject): string[] {
  if (!areTexts(stages) || stages.length === 0) return ["stages is missing: a list of at least one"];
  const unknown = stages.filter((stage) => !STAGES.includes(stage));
  return unknown.map(
    (stage) => `unknown stage ${JSON.stringify(stage)}: the stages are ${STAGES.join(", ")}`,
  );
}

function conditionComplaints({ when }: JsonObject): string[] {
  const { annotations, commands } = isObject(when) ? when : {};
  if (commands !== undefined && !areTexts(commands)) return ["when.commands is not a list of texts"];
  if (annotations !== undefined && !(isObject(annotations) && areTexts(Object.values(annotations))))
    return ["when.annotations is not an object of texts"];
  const patterns = [...Object.entries(annotations ?? {}).flat(), ...(commands ?? [])];
  return patterns
    .filter((pattern) => !isGoPattern(String(pattern)))
    .map((pattern) => `${JSON.stringify(pattern)} is not a regular expression of Go`);
}

function definitionOf(document: JsonObject): HookDefinition {
  const hook = objectOf(document["hook"]);
  const { path, args } = hook;
  return {
    path: String(path),
    args: areTexts(args) ? args : [],
    stages: areTexts(document["stages"]) ? document["stages"] : [],
    canRun: canHold(objectOf(document["when"])),
  };
}

// All conditions that are given have to hold, and at least one has to be given; `false` never does.
function canHold({ always, hasBindMounts, annotations, commands }: JsonObject): boolean {
  const isGiven = always === true || hasBindMounts === true || areTexts(commands) || isObject(annotations);
  return isGiven && always !== false && hasBindMounts !== false;
}

// Go knows no looking around and no references back, and JavaScript no flags in front and another name for names.
function isGoPattern(pattern: string): boolean {
  if (/\(\?<?[=!]|\\[1-9]|\\k</.test(pattern)) return false;
  const translated = pattern.replaceAll("(?P<", "(?<").replace(/\(\?[imsU]+\)/g, "");
  try {
    return new RegExp(translated).source !== "";
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
