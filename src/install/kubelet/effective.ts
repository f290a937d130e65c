import { type KubeletThresholds, parseMemoryThreshold } from "../../policy/reach/kubelet-thresholds.ts";
import { isTable, memberOf, type Table, tableOf } from "../target/table.ts";
import type { KubeletStarter } from "./facts.ts";

/** Settings on swap and memory that a kubelet has in force, wasp's own drop-in included. */
export interface EffectiveKubelet {
  /** The files that configure it, in rising precedence. */
  readonly files: readonly string[];
  /** The distribution that starts it; undefined for kubelet.service. */
  readonly startedBy: KubeletStarter | undefined;
  /** True if it reads drop-ins (--config-dir). */
  readonly readsDropIns: boolean;
  readonly failSwapOn: boolean;
  /** True if a flag sets failSwapOn, which overrides all files. */
  readonly isFailSwapOnFlag: boolean;
  /** As configured; empty for the kubelet's default, which is NoSwap. */
  readonly swapBehavior: string;
  /** Undefined where one of its thresholds cannot be parsed. */
  readonly thresholds: KubeletThresholds | undefined;
  /** Undefined for its default. */
  readonly runtimeEndpoint: string | undefined;
}

/** The documents that configure a kubelet. */
export interface KubeletDocuments {
  /** The document of --config; undefined where there is none. */
  readonly config: unknown;
  /** The documents of the drop-in folder, in the order in which they are merged. */
  readonly dropIns: readonly unknown[];
}

const MEMORY_SIGNAL = "memory.available";
const DEFAULT_HARD_THRESHOLD = "100Mi";

/**
 * Merges documents and flags as the kubelet does: drop-ins into the file as JSON merge patches, flags over both. The
 * default hard threshold is added to the file alone, if that has none (kubernetes cmd/kubelet/app/server.go,
 * mergeKubeletConfigurations, kubeletConfigFlagPrecedence, loadConfigFile).
 */
export function mergeKubeletSettings(
  { config, dropIns }: KubeletDocuments,
  flagOf: (flag: string) => string | undefined,
): Omit<EffectiveKubelet, "files" | "startedBy" | "readsDropIns"> {
  const merged = dropIns.reduce(mergePatch, withDefaultThreshold(tableOf(config)));
  const hard = flagOf("--eviction-hard");
  const soft = flagOf("--eviction-soft");
  const enforced = flagOf("--enforce-node-allocatable")?.split(",") ?? enforcedIn(merged);
  return {
    failSwapOn: parseBooleanFlag(flagOf("--fail-swap-on")) ?? memberOf(merged, "failSwapOn") !== false,
    isFailSwapOnFlag: flagOf("--fail-swap-on") !== undefined,
    swapBehavior: textOf(memberOf(memberOf(merged, "memorySwap"), "swapBehavior")) ?? "",
    thresholds: thresholdsOf(
      hard === undefined ? thresholdIn(merged, "evictionHard") : thresholdInFlag(hard),
      soft === undefined ? thresholdIn(merged, "evictionSoft") : thresholdInFlag(soft),
      enforced.includes("pods"),
    ),
    runtimeEndpoint:
      flagOf("--container-runtime-endpoint") ?? textOf(memberOf(merged, "containerRuntimeEndpoint")),
  };
}

function withDefaultThreshold(config: Table): Table {
  const hard = config["evictionHard"];
  const defaults = { [MEMORY_SIGNAL]: DEFAULT_HARD_THRESHOLD };
  if (hard === undefined || hard === null) return { ...config, evictionHard: defaults };
  return config["mergeDefaultEvictionSettings"] === true
    ? { ...config, evictionHard: { ...defaults, ...tableOf(hard) } }
    : config;
}

/** Parses the value of a boolean flag as Go does; undefined where the flag is not given. */
export function parseBooleanFlag(value: string | undefined): boolean | undefined {
  return value === undefined ? undefined : !/^(0|f|false)$/i.test(value);
}

// RFC 7396: null removes a member, and a patch that is no object replaces the value.
function mergePatch(before: unknown, patch: unknown): unknown {
  if (!isTable(patch)) return patch;
  const merged = new Map(Object.entries(tableOf(before)));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

function enforcedIn(merged: unknown): readonly unknown[] {
  const enforced = memberOf(merged, "enforceNodeAllocatable");
  return Array.isArray(enforced) ? enforced : ["pods"];
}

function thresholdIn(merged: unknown, name: string): string | undefined {
  return textOf(memberOf(memberOf(merged, name), MEMORY_SIGNAL));
}

// As in memory.available<100Mi,nodefs.available<10%
function thresholdInFlag(flag: string): string | undefined {
  const thresholds = flag.split(",").map((threshold) => threshold.split("<").map((part) => part.trim()));
  return thresholds.findLast(([signal]) => signal === MEMORY_SIGNAL)?.[1];
}

function thresholdsOf(
  hardText: string | undefined,
  softText: string | undefined,
  enforcesPods: boolean,
): KubeletThresholds | undefined {
  const [hard, soft] = [parseMemoryThreshold(hardText), parseMemoryThreshold(softText)];
  return hard === "unreadable" || soft === "unreadable" ? undefined : { hard, soft, enforcesPods };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
