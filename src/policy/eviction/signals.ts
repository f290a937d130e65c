import type { Pod } from "../kubernetes/pod.ts";
import type { ContainerSample, KubepodsSample, NodeSample, Pressure, Snapshot } from "./snapshot.ts";
import { settlingOf } from "./swap-churn.ts";
import { swapRoomOf } from "./swap-headroom.ts";
import { type Timed, type Window, windowOf, withLatest } from "./time-window.ts";

/** What a threshold can be about. Ratios are fractions: 1 is all of it. */
export const SIGNALS = [
  "swapUtilization",
  "swapInPagesPerSecond",
  "swapOutPagesPerSecond",
  /** How much of the swapping is one that ends by itself (settlingOf); untold where containers are not looked at. */
  "swapSettling",
  "memoryOvercommit",
  "swapOvercommit",
  "requestOvercommit",
  "memoryAvailable",
  "memoryAvailableBytes",
  "memoryPressure",
] as const;

/** The name of a signal. */
export type Signal = (typeof SIGNALS)[number];

/** What a signal's figures are. */
export type SignalUnit = "fraction" | "pages a second" | "bytes";

/** The unit of a signal. */
export function unitOf(signal: Signal): SignalUnit {
  if (signal.endsWith("PagesPerSecond")) return "pages a second";
  return signal.endsWith("Bytes") ? "bytes" : "fraction";
}

/** Why a stall counts as swap's doing. */
export type PressureCause =
  /** Pages come back from swap all the time. */
  | "swap-in"
  /** Pages come back that had been swapped out a moment before. */
  | "anonymous-refault"
  /** Swap is at its end, so nothing moves any more, and everything waits. */
  | "swap-exhausted";

/** What the signals say at one moment; a signal is undefined where it cannot be told. */
export interface Observation extends Readonly<Record<Signal, number | undefined>> {
  /** Why memoryPressure is what it is; undefined while the stall is none of swap's doing. */
  readonly pressureCause: PressureCause | undefined;
  /** The stall itself, whatever its cause: the part of the window for which all of the pods' tasks waited. */
  readonly stall: number | undefined;
}

/** What has to be remembered of the moments before; times in seconds of a clock that never jumps. */
export interface Senses {
  /** The latest moments, oldest first. */
  readonly moments: readonly Moment[];
  /** Those at which containers were looked at, without a break up to now, no further back than a stall is. */
  readonly looks: readonly Look[];
}

/** Nothing has been sensed yet. */
export const NO_SENSES: Senses = { moments: [], looks: [] };

/** How signals are made of counters. */
export interface SensingConfig {
  /** Over how long swap traffic is averaged. */
  readonly trafficWindowSeconds: number;
}

/** The counters of one moment. */
interface Moment extends Timed {
  readonly swapInPages: number;
  readonly swapOutPages: number;
  readonly anonRefaults: number | undefined;
  readonly fileRefaults: number | undefined;
  readonly stallMicroseconds: number | undefined;
}

/** The containers at one moment. */
interface Look extends Timed {
  readonly containers: readonly ContainerSample[];
}

// A stall counts while it lasted for some seconds and still does: a spike is over when it is over.
const STALL_WINDOW_SECONDS = 5;
const LATEST_WINDOW_SECONDS = 2;
// A moment further away tells of another time: the machine was suspended, or the agent held.
const MAX_GAP_SECONDS = 60;
const MICROSECONDS_PER_SECOND = 1e6;
// So little moves on any node that has swapped once.
const MOVING_PAGES_PER_SECOND = 50;
const EXHAUSTED_SWAP = 0.02;

/** Makes the signals of a snapshot, and of what was remembered of those before. */
export function sense(
  senses: Senses,
  snapshot: Snapshot,
  config: SensingConfig,
): { readonly observation: Observation; readonly senses: Senses } {
  const moment = momentOf(snapshot);
  const isContinued = isContinuedBy(senses.moments.at(-1), moment);
  const reach = Math.max(STALL_WINDOW_SECONDS, config.trafficWindowSeconds);
  const moments = withLatest(isContinued ? senses.moments : [], moment, reach);
  const looks = looksOf(isContinued ? senses.looks : [], snapshot);
  const traffic = windowOf(moments, config.trafficWindowSeconds);
  const stalled = windowOf(moments, STALL_WINDOW_SECONDS);
  const stall = least(stallOf(stalled), stallOf(windowOf(moments, LATEST_WINDOW_SECONDS)));
  const cause = causeOf(stalled, snapshot);
  const memoryPressure = stall === undefined ? undefined : cause === undefined ? 0 : stall;
  const observation = {
    swapUtilization: swapUtilization(snapshot.node),
    swapInPagesPerSecond: rate(traffic, "swapInPages"),
    swapOutPagesPerSecond: rate(traffic, "swapOutPages"),
    swapSettling: swapSettling(looks, snapshot),
    memoryOvercommit: memoryOvercommit(snapshot.node),
    swapOvercommit: swapOvercommit(snapshot.node),
    requestOvercommit: requestOvercommit(snapshot.pods, snapshot.node, snapshot.kubepods),
    ...memoryAvailable(snapshot.node, snapshot.kubepods),
    memoryPressure,
    pressureCause: cause,
    stall,
  };
  return { observation, senses: { moments, looks } };
}

function momentOf({ atSeconds, node, kubepods }: Snapshot): Moment {
  return {
    atSeconds,
    swapInPages: node.swapInPages,
    swapOutPages: node.swapOutPages,
    anonRefaults: kubepods?.anonRefaults,
    fileRefaults: kubepods?.fileRefaults,
    stallMicroseconds: stalledMicroseconds(kubepods?.memoryPressure ?? node.memoryPressure),
  };
}

// Without "full" there is no telling whether anybody could still work.
function stalledMicroseconds(pressure: Pressure | undefined): number | undefined {
  return pressure?.full?.totalMicroseconds;
}

// The containers of a quiet node are not looked at: what they were at before is no part of what happens now.
function looksOf(looks: readonly Look[], { atSeconds, containers }: Snapshot): readonly Look[] {
  return containers.length === 0 ? [] : withLatest(looks, { atSeconds, containers }, STALL_WINDOW_SECONDS);
}

// A counter that went back counts from another beginning: the pods' cgroup was made anew.
function isContinuedBy(last: Moment | undefined, now: Moment): boolean {
  if (last === undefined) return false;
  const gap = now.atSeconds - last.atSeconds;
  const counters = [
    "swapInPages",
    "swapOutPages",
    "anonRefaults",
    "fileRefaults",
    "stallMicroseconds",
  ] as const;
  const hasGoneBack = counters.some((counter) => (now[counter] ?? 0) < (last[counter] ?? 0));
  return gap > 0 && gap <= MAX_GAP_SECONDS && !hasGoneBack;
}

type Counter = Exclude<keyof Moment, "atSeconds">;

function rate(window: Window<Moment> | undefined, counter: Counter): number | undefined {
  const [before, after] = [window?.from[counter], window?.to[counter]];
  if (window === undefined || before === undefined || after === undefined) return undefined;
  return (after - before) / (window.to.atSeconds - window.from.atSeconds);
}

function stallOf(window: Window<Moment> | undefined): number | undefined {
  const stalled = rate(window, "stallMicroseconds");
  // Two clocks measured it.
  return stalled === undefined ? undefined : Math.min(1, stalled / MICROSECONDS_PER_SECOND);
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.min(a, b);
}

/**
 * Finds swap's part in a stall. Files that are read again and again stall as well, and so does memory that is swapped out
 * once and left there: neither is cured by sending a pod away for its swap.
 */
function causeOf(window: Window<Moment> | undefined, snapshot: Snapshot): PressureCause | undefined {
  const swapIn = rate(window, "swapInPages") ?? 0;
  const anon = rate(window, "anonRefaults") ?? 0;
  const file = rate(window, "fileRefaults") ?? 0;
  if (anon >= MOVING_PAGES_PER_SECOND && anon >= file) return "anonymous-refault";
  if (swapIn >= MOVING_PAGES_PER_SECOND && swapIn >= file) return "swap-in";
  return isExhausted(snapshot) ? "swap-exhausted" : undefined;
}

// A kernel that reclaims now here and now there takes seconds to show that memory settles; that a spike is over shows at once.
function swapSettling(looks: readonly Look[], snapshot: Snapshot): number | undefined {
  const windows = [STALL_WINDOW_SECONDS, LATEST_WINDOW_SECONDS].flatMap(
    (seconds) => windowOf(looks, seconds) ?? [],
  );
  if (windows.length === 0) return undefined;
  // There is no more room to settle in.
  if (isExhausted(snapshot)) return 0;
  return Math.max(
    ...windows.map(({ from, to }) => settlingOf(from.containers, to.containers, snapshot.pageBytes)),
  );
}

/** Whether swap is at its end: all that the node has, or all that pods may use and have anything for. */
function isExhausted({ node, containers }: Snapshot): boolean {
  const { swapTotalBytes, swapFreeBytes } = node;
  if (swapTotalBytes <= 0) return false;
  if (swapFreeBytes <= EXHAUSTED_SWAP * swapTotalBytes) return true;
  const room = swapRoomOf(containers, node);
  return (
    room !== undefined &&
    room.swappedBytes > 0 &&
    room.leftBytes <= EXHAUSTED_SWAP * (room.swappedBytes + room.leftBytes)
  );
}

function swapUtilization({ swapTotalBytes, swapFreeBytes }: NodeSample): number | undefined {
  // Between two lines of /proc/meminfo swap may go.
  return swapTotalBytes <= 0 ? undefined : Math.max(0, swapTotalBytes - swapFreeBytes) / swapTotalBytes;
}

/** All that is in use, in memory and in swap, as a part of the memory. */
function memoryOvercommit(node: NodeSample): number | undefined {
  const { memoryTotalBytes, memoryAvailableBytes, swapTotalBytes, swapFreeBytes } = node;
  if (memoryTotalBytes <= 0) return undefined;
  const swapUsed = Math.max(0, swapTotalBytes - swapFreeBytes);
  return (memoryTotalBytes - memoryAvailableBytes + swapUsed) / memoryTotalBytes;
}

/**
 * What is in use beyond the memory, as a part of the swap, and less than nothing where all would fit into memory:
 * wasp-agent evicts above a factor of it (its docs/configuration.md, SWAP_UTILIZATION_THRESHOLD_FACTOR).
 */
function swapOvercommit(node: NodeSample): number | undefined {
  const { memoryAvailableBytes, swapTotalBytes, swapFreeBytes } = node;
  if (swapTotalBytes <= 0) return undefined;
  return (Math.max(0, swapTotalBytes - swapFreeBytes) - memoryAvailableBytes) / swapTotalBytes;
}

/** What pods can still take before the kernel has to make room: of the node's memory, or of what kubepods may have. */
function memoryAvailable(
  { memoryTotalBytes, memoryAvailableBytes }: NodeSample,
  kubepods: KubepodsSample | undefined,
): Pick<Observation, "memoryAvailable" | "memoryAvailableBytes"> {
  const limit = Math.min(
    kubepods?.memoryMaxBytes ?? Number.POSITIVE_INFINITY,
    kubepods?.memoryHighBytes ?? Number.POSITIVE_INFINITY,
  );
  const workingSet = Math.max(0, (kubepods?.memoryBytes ?? 0) - (kubepods?.inactiveFileBytes ?? 0));
  const left = Math.max(0, limit - workingSet);
  const ofNode = memoryTotalBytes > 0 ? memoryAvailableBytes / memoryTotalBytes : undefined;
  const ofPods = Number.isFinite(limit) && limit > 0 ? left / limit : undefined;
  return {
    memoryAvailable: ofNode === undefined ? ofPods : Math.min(ofNode, ofPods ?? 1),
    memoryAvailableBytes: Math.min(memoryAvailableBytes, left),
  };
}

/** What pods asked for, as a part of what they may have: memory.max of kubepods, or the node's memory. */
function requestOvercommit(
  pods: readonly Pod[],
  node: NodeSample,
  kubepods: KubepodsSample | undefined,
): number | undefined {
  const allocatable = Math.min(kubepods?.memoryMaxBytes ?? Number.POSITIVE_INFINITY, node.memoryTotalBytes);
  if (allocatable <= 0) return undefined;
  const requested = pods
    .flatMap(({ containers }) => containers)
    .reduce((sum, { memoryRequestBytes }) => sum + memoryRequestBytes, 0);
  return requested / allocatable;
}
