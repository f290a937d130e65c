import { formatLimit, formatQuantity, parseLimit } from "../kubernetes/quantity.ts";
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

/** Class of memory QoS that pods may request. */
export interface MemoryQosClass {
  readonly name: string;
  /** Fraction of its memory limit, 0 to 1, that a container has at least in swap when it reaches that limit. */
  readonly swapLimitRatio: number;
  /**
   * Swap that the class gives a container, in bytes, Infinity for no limit, whatever podOverrides and swapBehavior are;
   * undefined to give as much as these allow.
   */
  readonly maxSwapBytes?: number | undefined;
}

/** Memory QoS that pods may request on this node. */
export interface MemoryQosConfig {
  readonly classes: readonly MemoryQosClass[];
  /** Files that pods may set with an annotation for the file. */
  readonly unifiedAnnotations: readonly MemoryFile[];
  /**
   * Largest value of each of these files, in bytes, Infinity for none; a file that is missing has no bound of its own, and
   * memory.swap.max then keeps to podOverrides and swapBehavior.
   */
  readonly maxBytes?: Readonly<Partial<Record<MemoryFile, number>>> | undefined;
}

/** Reason for which a pod's annotation cannot be applied. */
export type MemoryQosProblemReason =
  | "unknown-class"
  /** A class is a fraction of the memory limit, and the container has none. */
  | "class-without-memory-limit"
  /** The cgroup has this file, but pods may not set it on this node. */
  | "file-not-listed"
  /** The annotation names neither a class nor a file of a cgroup's memory. */
  | "unknown-annotation"
  | "wrong-value"
  /** The value is larger than this node permits for the file. */
  | "above-max";

/** Annotation that cannot be applied. */
export interface MemoryQosProblem {
  readonly reason: MemoryQosProblemReason;
  readonly annotation: string;
  /** Names the annotation, its value, and the valid values. */
  readonly message: string;
}

/** Memory QoS of one container by its pod's annotations. */
export interface MemoryQosDecision {
  readonly className: string | undefined;
  /** Values that the class sets; `direct` has precedence. */
  readonly ofClass: Unified;
  /** Values that annotations for a single file set. */
  readonly direct: Unified;
  /** True if the administrator has bounded the swap of the class, or of the annotation, and so permitted it. */
  readonly isSwapBounded: { readonly ofClass: boolean; readonly direct: boolean };
  readonly problems: readonly MemoryQosProblem[];
}

const NO_MEMORY_QOS: MemoryQosDecision = {
  className: undefined,
  ofClass: {},
  direct: {},
  isSwapBounded: { ofClass: false, direct: false },
  problems: [],
};

/**
 * Decides a container's memory QoS by its pod's annotations; its memory limit is undefined without one. Without a
 * configuration the annotations are ignored.
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
  const isSwapBounded = {
    ofClass: config.classes.find(({ name }) => name === className)?.maxSwapBytes !== undefined,
    direct: config.maxBytes?.["memory.swap.max"] !== undefined,
  };
  return { className, ofClass, direct, isSwapBounded, problems };
}

/**
 * Computes the memory.high, in bytes, that a class sets for a container with this memory limit: in the order of the
 * original's float32 operations, `int64(float32(limit) * (1.0 - ratio))` (nri-plugins cmd/plugins/memory-qos/main.go,
 * applyQosClass), so that it is equal to the byte. All digits are written: a number prints only 17 of them. The minimum
 * is a page, with which a container starts: systemd rejects a MemoryHigh of 0, and with the original's value the
 * container does not start.
 */
export function memoryHighOf(memoryLimitBytes: number, swapLimitRatio: number): string {
  const kept = Math.fround(1 - Math.fround(swapLimitRatio));
  const high = BigInt(Math.trunc(Math.fround(Math.fround(memoryLimitBytes) * kept)));
  return String(high < MIN_MEMORY_BYTES ? MIN_MEMORY_BYTES : high);
}

function settingsOfClass(
  asked: RequestedSetting,
  containerName: string,
  memoryLimitBytes: number | undefined,
  { classes }: MemoryQosConfig,
): { readonly unified: Unified } | MemoryQosProblem {
  const found = classes.find(({ name }) => name === asked.value);
  if (found === undefined) {
    const known = listOf(classes.map(({ name }) => name));
    return problem("unknown-class", asked, `is not a class of this node (classes: ${known})`);
  }
  // As in the original, which sets no limit for it either: a class that changes nothing.
  if (found.swapLimitRatio === 0) return { unified: {} };
  if (memoryLimitBytes === undefined) {
    const own = `class.memory-qos.nri.io/${containerName}: ""`;
    const remedy = `set resources.limits.memory, or exclude this container with ${own}`;
    return problem("class-without-memory-limit", asked, `needs a memory limit: ${remedy}`);
  }
  const high = memoryHighOf(memoryLimitBytes, found.swapLimitRatio);
  const swap = formatLimit(found.maxSwapBytes ?? Number.POSITIVE_INFINITY);
  return { unified: { "memory.high": high, "memory.swap.max": swap } };
}

function valueOfFile(
  asked: RequestedSetting,
  { unifiedAnnotations, maxBytes = {} }: MemoryQosConfig,
): string | MemoryQosProblem {
  const { name, value } = asked;
  if (!isMemoryFile(name)) {
    const right = `class, ${MEMORY_FILES.join(", ")}`;
    return problem(
      "unknown-annotation",
      asked,
      `is for no known setting: the annotation may begin with ${right}`,
    );
  }
  if (!unifiedAnnotations.includes(name)) {
    const allowed = listOf(unifiedAnnotations);
    return problem("file-not-listed", asked, `may not be set by a pod on this node (allowed: ${allowed})`);
  }
  const spelled = normalizeMemoryValue(name, value);
  if (spelled === undefined) return problem("wrong-value", asked, `is not ${describeMemoryValues(name)}`);
  const most = maxBytes[name] ?? Number.POSITIVE_INFINITY;
  return (parseLimit(spelled) ?? 0) <= most
    ? spelled
    : problem("above-max", asked, `is more than a pod may set on this node (max: ${formatQuantity(most)})`);
}

function listOf(names: readonly string[]): string {
  return names.join(", ") || "none";
}

const MAX_SHOWN_CHARACTERS = 100;

function problem(
  reason: MemoryQosProblemReason,
  { annotation, value }: RequestedSetting,
  complaint: string,
): MemoryQosProblem {
  const shown = value.length <= MAX_SHOWN_CHARACTERS ? value : `${value.slice(0, MAX_SHOWN_CHARACTERS)}...`;
  return { reason, annotation, message: `${annotation}: ${JSON.stringify(shown)} ${complaint}` };
}
