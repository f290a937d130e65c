import { type KubeletThresholds, parseMemoryFigure } from "../../policy/reach/kubelet-thresholds.ts";
import type { Distribution } from "./distribution.ts";

/** How the kubelet is configured, without what wasp configures. */
export interface KubeletFacts {
  /** Whether there is one on the host. */
  readonly isThere: boolean;
  /** What starts it; undefined for a service of its own. */
  readonly startedBy: KubeletStarter | undefined;
  /** Its configuration file; undefined where it has none. */
  readonly configFile: string | undefined;
  /** Whether it can be told how it is started, and its configuration file is there: kubeadm writes it when a node joins. */
  readonly isConfigKnown: boolean;
  /** Its folder of drop-ins (--config-dir); undefined where it reads none. */
  readonly dropInFolder: string | undefined;
  /** What its files say; undefined for nothing. */
  readonly failSwapOn: boolean | undefined;
  /** What its files say with wasp's own, and the file that does; undefined for nothing. */
  readonly failSwapOnNow: { readonly value: boolean; readonly setBy: string } | undefined;
  /** Its soft threshold of memory.available as it is spelled, in its files or its flags; undefined for none. */
  readonly evictionSoft: string | undefined;
  /** What it is started with, which counts for more than its files; undefined for nothing. */
  readonly failSwapOnFlag: boolean | undefined;
  /** Whether it gives containers swap limits itself (LimitedSwap). */
  readonly limitsSwap: boolean;
  /** The node's memory; undefined where it is not known. */
  readonly memoryTotalBytes: number | undefined;
  /** The drop-in behind wasp's own that says that swap is an error; undefined for none. */
  readonly contradictedBy: string | undefined;
  /** The files that cannot be understood, each with what is wrong. */
  readonly problems: readonly string[];
}

/** A distribution of Kubernetes that starts a kubelet. */
export interface KubeletStarter extends Pick<Distribution, "name" | "settings"> {
  /** The unit of systemd that starts it. */
  readonly unit: string;
}

/** What wasp sets in a KubeletConfiguration: never that the kubelet limits swap itself, which is wasp's to do. */
export interface KubeletConfigPatch {
  readonly failSwapOn: false;
  readonly evictionSoft?: { readonly "memory.available": string };
  readonly evictionSoftGracePeriod?: { readonly "memory.available": string };
}

/** What a kubelet is told of swap and memory. */
export interface KubeletSettings {
  /** The files that its settings are in, in rising precedence. */
  readonly files: readonly string[];
  /** The distribution that starts it; undefined for a service of its own. */
  readonly startedBy: KubeletStarter | undefined;
  /** Whether it reads drop-ins, such as wasp's own. */
  readonly readsDropIns: boolean;
  readonly failSwapOn: boolean;
  /** Whether that is said by a flag, over all files. */
  readonly isFailSwapOnFlag: boolean;
  /** As configured; empty for the kubelet's default, which is NoSwap. */
  readonly swapBehavior: string;
  /** Undefined where one of its thresholds cannot be read. */
  readonly thresholds: KubeletThresholds | undefined;
  /** Undefined for its default. */
  readonly runtimeEndpoint: string | undefined;
}

/** The service that starts a kubelet, as systemctl takes it. */
export function serviceOf(startedBy: KubeletStarter | undefined): string {
  return startedBy?.unit.replace(/\.service$/, "") ?? "kubelet";
}

/** The documents that configure a kubelet. */
export interface KubeletDocuments {
  /** Of --config; undefined where there is none. */
  readonly config: unknown;
  /** Of the drop-in folder, in the order in which they are merged. */
  readonly dropIns: readonly unknown[];
}

const MEMORY = "memory.available";
const DEFAULT_HARD = "100Mi";

/**
 * Merges what configures a kubelet as it does itself: drop-ins into the file as JSON merge patches, flags over both; the
 * default threshold goes into the file alone, where that has none (kubernetes cmd/kubelet/app/server.go,
 * mergeKubeletConfigurations, kubeletConfigFlagPrecedence, loadConfigFile).
 */
export function mergeKubeletSettings(
  { config, dropIns }: KubeletDocuments,
  flagOf: (flag: string) => string | undefined,
): Pick<
  KubeletSettings,
  "failSwapOn" | "isFailSwapOnFlag" | "swapBehavior" | "thresholds" | "runtimeEndpoint"
> {
  const merged = dropIns.reduce(mergePatch, withDefaultThreshold(objectOf(config)));
  const hard = flagOf("--eviction-hard");
  const soft = flagOf("--eviction-soft");
  const enforced = flagOf("--enforce-node-allocatable")?.split(",") ?? enforcedIn(merged);
  return {
    failSwapOn: readSwitch(flagOf("--fail-swap-on")) ?? memberOf(merged, "failSwapOn") !== false,
    isFailSwapOnFlag: flagOf("--fail-swap-on") !== undefined,
    swapBehavior: textOf(memberOf(memberOf(merged, "memorySwap"), "swapBehavior")) ?? "",
    thresholds: thresholdsOf(
      hard === undefined ? figureIn(merged, "evictionHard") : statementIn(hard),
      soft === undefined ? figureIn(merged, "evictionSoft") : statementIn(soft),
      enforced.includes("pods"),
    ),
    runtimeEndpoint:
      flagOf("--container-runtime-endpoint") ?? textOf(memberOf(merged, "containerRuntimeEndpoint")),
  };
}

function withDefaultThreshold(config: JsonObject): JsonObject {
  const hard = config["evictionHard"];
  if (hard === undefined || hard === null) return { ...config, evictionHard: { [MEMORY]: DEFAULT_HARD } };
  return config["mergeDefaultEvictionSettings"] === true
    ? { ...config, evictionHard: { [MEMORY]: DEFAULT_HARD, ...objectOf(hard) } }
    : config;
}

/** What a kubelet's flag that is on or off says, as Go reads it; undefined where it is not given. */
export function readSwitch(flag: string | undefined): boolean | undefined {
  return flag === undefined ? undefined : !/^(0|f|false)$/i.test(flag);
}

type JsonObject = Readonly<Record<string, unknown>>;

// RFC 7396: null takes a member away, and what is no object replaces.
function mergePatch(before: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(objectOf(before)));
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

function figureIn(merged: unknown, name: string): string | undefined {
  return textOf(memberOf(memberOf(merged, name), MEMORY));
}

// As in memory.available<100Mi,nodefs.available<10%
function statementIn(flag: string): string | undefined {
  const statements = flag.split(",").map((statement) => statement.split("<").map((part) => part.trim()));
  return statements.findLast(([signal]) => signal === MEMORY)?.[1];
}

function thresholdsOf(
  hardText: string | undefined,
  softText: string | undefined,
  enforcesPods: boolean,
): KubeletThresholds | undefined {
  const [hard, soft] = [parseMemoryFigure(hardText), parseMemoryFigure(softText)];
  return hard === "unreadable" || soft === "unreadable" ? undefined : { hard, soft, enforcesPods };
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
