import { memoryQosRequests, type RequestedSetting } from "./annotations.ts";
import {
  describeMemoryValues,
  isMemoryFile,
  MEMORY_FILES,
  type MemoryFile,
  MIN_MEMORY_BYTES,
  normalizeMemoryValue,
  type Unified,
} from "./files.ts";

/** A class that pods may ask for. */
export interface MemoryQosClass {
  readonly name: string;
  /** 0 to 1: how much of its memory a container has on swap, at the least, when it reaches its limit. */
  readonly swapLimitRatio: number;
}

/** What pods may ask for on this node. */
export interface MemoryQosConfig {
  readonly classes: readonly MemoryQosClass[];
  /** The files that an annotation of their own may set. */
  readonly unifiedAnnotations: readonly MemoryFile[];
}

/** Why an annotation of a pod cannot be heeded. */
export type MemoryQosProblemReason =
  | "unknown-class"
  /** A class is a part of the memory limit, and the container has none. */
  | "class-without-memory-limit"
  /** The file is a cgroup's, but this node does not let pods set it. */
  | "file-not-listed"
  /** Neither a class nor a file of a cgroup's memory. */
  | "unknown-annotation"
  | "wrong-value";

/** An annotation that cannot be heeded. */
export interface MemoryQosProblem {
  readonly reason: MemoryQosProblemReason;
  readonly annotation: string;
  /** Names the annotation, what was found, and what is right. */
  readonly message: string;
}

/** What the annotations of a pod come to for one of its containers. */
export interface MemoryQosDecision {
  readonly className: string | undefined;
  /** What the class sets; less than what is set directly. */
  readonly ofClass: Unified;
  /** What annotations for a single file set. */
  readonly direct: Unified;
  readonly problems: readonly MemoryQosProblem[];
}

const NO_MEMORY_QOS: MemoryQosDecision = { className: undefined, ofClass: {}, direct: {}, problems: [] };

/**
 * Decides what a container gets by its pod's annotations for memory QoS; its memory limit is undefined without one. Without
 * a configuration nobody looks what they ask for.
 */
export function decideMemoryQos(
  containerName: string,
  podAnnotations: Readonly<Record<string, string>>,
  memoryLimitBytes: number | undefined,
  config: MemoryQosConfig | undefined,
): MemoryQosDecision {
  if (config === undefined) return NO_MEMORY_QOS;
  const problems: MemoryQosProblem[] = [];
  const direct: Record<string, string> = {};
  let className: string | undefined;
  let ofClass: Unified = {};
  for (const asked of memoryQosRequests(containerName, podAnnotations)) {
    const outcome =
      asked.name === "class"
        ? settingsOfClass(asked, containerName, memoryLimitBytes, config)
        : valueOfFile(asked, config);
    if (typeof outcome === "string") direct[asked.name] = outcome;
    else if ("reason" in outcome) problems.push(outcome);
    else [className, ofClass] = [asked.value, outcome.unified];
  }
  return { className, ofClass, direct, problems };
}

/**
 * The value of memory.high, in bytes, that a class sets for a container of this memory limit: in the order of the
 * original's float32 operations, `int64(float32(limit) * (1.0 - ratio))` (nri-plugins cmd/plugins/memory-qos/main.go,
 * applyQosClass), so that it is equal to the byte. Spelled in full: a number's own digits end at the 17th. Never less than
 * a page, with which a container starts: systemd takes no MemoryHigh of 0, and the original's keep it from starting.
 */
export function memoryHighOf(memoryLimitBytes: number, swapLimitRatio: number): string {
  const kept = Math.fround(1 - Math.fround(swapLimitRatio));
  const high = BigInt(Math.trunc(Math.fround(Math.fround(memoryLimitBytes) * kept)));
  return String(high < MIN_MEMORY_BYTES ? MIN_MEMORY_BYTES : high);
}

function settingsOfClass(
  { annotation, value }: RequestedSetting,
  containerName: string,
  memoryLimitBytes: number | undefined,
  { classes }: MemoryQosConfig,
): { readonly unified: Unified } | MemoryQosProblem {
  const found = classes.find(({ name }) => name === value);
  if (found === undefined) {
    const known = classes.map(({ name }) => name).join(", ");
    const right = known === "" ? "this node has no classes" : `the classes of this node are ${known}`;
    return problem("unknown-class", annotation, value, `is none: ${right}`);
  }
  // As in the original, which asks for no limit then either: the name of a class that leaves everything as it is.
  if (found.swapLimitRatio === 0) return { unified: {} };
  if (memoryLimitBytes === undefined) {
    const own = `class.memory-qos.nri.io/${containerName}: ""`;
    const remedy = `set resources.limits.memory, or take this container out with ${own}`;
    return problem("class-without-memory-limit", annotation, value, `needs a memory limit: ${remedy}`);
  }
  const high = memoryHighOf(memoryLimitBytes, found.swapLimitRatio);
  return { unified: { "memory.high": high, "memory.swap.max": "max" } };
}

function valueOfFile(
  { annotation, name, value }: RequestedSetting,
  { unifiedAnnotations }: MemoryQosConfig,
): string | MemoryQosProblem {
  if (!isMemoryFile(name)) {
    const right = `class, ${MEMORY_FILES.join(", ")}`;
    return problem(
      "unknown-annotation",
      annotation,
      value,
      `sets nothing that there is: it may begin with ${right}`,
    );
  }
  if (!unifiedAnnotations.includes(name)) {
    const listed = unifiedAnnotations.join(", ");
    const right = listed === "" ? "none may" : `${listed} may`;
    return problem("file-not-listed", annotation, value, `may not be set by a pod on this node: ${right}`);
  }
  const spelled = normalizeMemoryValue(name, value);
  return spelled ?? problem("wrong-value", annotation, value, `is not ${describeMemoryValues(name)}`);
}

const MAX_SHOWN_CHARACTERS = 100;

function problem(
  reason: MemoryQosProblemReason,
  annotation: string,
  value: string,
  complaint: string,
): MemoryQosProblem {
  const shown = value.length <= MAX_SHOWN_CHARACTERS ? value : `${value.slice(0, MAX_SHOWN_CHARACTERS)}...`;
  return { reason, annotation, message: `${annotation}: ${JSON.stringify(shown)} ${complaint}` };
}
