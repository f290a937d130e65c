import { capacitySignals } from "./capacity-signals.ts";
import type { Observation, PressureCause } from "./signals.ts";
import type { ContainerSample, Snapshot } from "./snapshot.ts";
import { swapSettledShare } from "./swap-churn.ts";
import { isSwapExhausted } from "./swap-headroom.ts";
import { type Timed, type TimeWindow, windowOf, withLatest } from "./time-window.ts";

/** State between two observations; times in seconds of a monotonic clock. */
export interface SignalHistory {
  /** The latest counters, oldest first. */
  readonly counters: readonly Counters[];
  /** The latest samples of the containers, without a gap up to now, no further back than the stall window. */
  readonly containers: readonly TimedContainers[];
}

/** State before the first observation. */
export const NO_SIGNAL_HISTORY: SignalHistory = { counters: [], containers: [] };

/** Knobs of the signals. */
export interface ObservationConfig {
  /** Window over which swap traffic is averaged. */
  readonly trafficWindowSeconds: number;
}

const COUNTERS = [
  "swapInPages",
  "swapOutPages",
  "anonRefaults",
  "fileRefaults",
  "stallMicroseconds",
] as const;

type CounterName = (typeof COUNTERS)[number];

/** Counters of a snapshot. */
interface Counters extends Timed, Readonly<Record<CounterName, number | undefined>> {}

/** Containers of a snapshot. */
interface TimedContainers extends Timed {
  readonly containers: readonly ContainerSample[];
}

// A stall counts if it lasted for some seconds and still lasts: the end of a spike ends it.
const STALL_WINDOW_SECONDS = 5;
const LATEST_WINDOW_SECONDS = 2;
// Counters before a longer gap say nothing about now: the machine was suspended, or the agent held.
const MAX_GAP_SECONDS = 60;
const MICROSECONDS_PER_SECOND = 1e6;
// Below this rate, pages move on any node that has ever swapped.
const MOVING_PAGES_PER_SECOND = 50;

/** Computes all signals from a snapshot and the history. */
export function observe(
  history: SignalHistory,
  snapshot: Snapshot,
  config: ObservationConfig,
): { readonly observation: Observation; readonly history: SignalHistory } {
  const { counters, containers } = withSnapshot(history, snapshot, config);
  const traffic = windowOf(counters, config.trafficWindowSeconds);
  const stalled = windowOf(counters, STALL_WINDOW_SECONDS);
  const stall = lowest(stallOf(stalled), stallOf(windowOf(counters, LATEST_WINDOW_SECONDS)));
  const pressureCause = causeOf(stalled, snapshot);
  const { swapUtilization, ...capacity } = capacitySignals(snapshot);
  const observation = {
    swapUtilization,
    swapInPagesPerSecond: rate(traffic, "swapInPages"),
    swapOutPagesPerSecond: rate(traffic, "swapOutPages"),
    swapSettling: settledShare(containers, snapshot),
    ...capacity,
    memoryPressure: stall !== undefined && pressureCause === undefined ? 0 : stall,
    pressureCause,
    stall,
  };
  return { observation, history: { counters, containers } };
}

function withSnapshot(
  history: SignalHistory,
  snapshot: Snapshot,
  { trafficWindowSeconds }: ObservationConfig,
): SignalHistory {
  const now = countersOf(snapshot);
  const { counters, containers } = isContinuedBy(history.counters.at(-1), now) ? history : NO_SIGNAL_HISTORY;
  return {
    counters: withLatest(counters, now, Math.max(STALL_WINDOW_SECONDS, trafficWindowSeconds)),
    containers: withContainers(containers, snapshot),
  };
}

function countersOf({ atSeconds, node, kubepods }: Snapshot): Counters {
  return {
    atSeconds,
    swapInPages: node.swapInPages,
    swapOutPages: node.swapOutPages,
    anonRefaults: kubepods?.anonRefaults,
    fileRefaults: kubepods?.fileRefaults,
    // Without "full" it is unknown whether any task could still run.
    stallMicroseconds: (kubepods?.memoryPressure ?? node.memoryPressure)?.full?.totalMicroseconds,
  };
}

// Containers of a quiet node are not sampled: samples from before that gap say nothing about now.
function withContainers(
  history: readonly TimedContainers[],
  { atSeconds, containers }: Snapshot,
): readonly TimedContainers[] {
  return containers.length === 0 ? [] : withLatest(history, { atSeconds, containers }, STALL_WINDOW_SECONDS);
}

// A counter that went back has restarted: the kubepods cgroup was removed and created again.
function isContinuedBy(last: Counters | undefined, now: Counters): boolean {
  if (last === undefined) return false;
  const gapSeconds = now.atSeconds - last.atSeconds;
  const hasGoneBack = COUNTERS.some((name) => (now[name] ?? 0) < (last[name] ?? 0));
  return gapSeconds > 0 && gapSeconds <= MAX_GAP_SECONDS && !hasGoneBack;
}

function rate(window: TimeWindow<Counters> | undefined, name: CounterName): number | undefined {
  const [before, after] = [window?.from[name], window?.to[name]];
  if (window === undefined || before === undefined || after === undefined) return undefined;
  return (after - before) / (window.to.atSeconds - window.from.atSeconds);
}

function stallOf(window: TimeWindow<Counters> | undefined): number | undefined {
  const stalled = rate(window, "stallMicroseconds");
  // The kernel's clock and the agent's differ, so the quotient may exceed 1.
  return stalled === undefined ? undefined : Math.min(1, stalled / MICROSECONDS_PER_SECOND);
}

function lowest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.min(a, b);
}

/**
 * Finds the part of swap in a stall. Files that are read again and again stall too, and so does memory that is swapped
 * out once and stays out: evicting a pod for its swap cures neither.
 */
function causeOf(window: TimeWindow<Counters> | undefined, snapshot: Snapshot): PressureCause | undefined {
  const swapIn = rate(window, "swapInPages") ?? 0;
  const anon = rate(window, "anonRefaults") ?? 0;
  const file = rate(window, "fileRefaults") ?? 0;
  if (anon >= MOVING_PAGES_PER_SECOND && anon >= file) return "anonymous-refault";
  if (swapIn >= MOVING_PAGES_PER_SECOND && swapIn >= file) return "swap-in";
  return isSwapExhausted(snapshot) ? "swap-exhausted" : undefined;
}

// Reclaim alternates between cgroups, so settling needs the 5 s window; the end of a spike shows in the 2 s window.
function settledShare(history: readonly TimedContainers[], snapshot: Snapshot): number | undefined {
  const windows = [STALL_WINDOW_SECONDS, LATEST_WINDOW_SECONDS].flatMap(
    (seconds) => windowOf(history, seconds) ?? [],
  );
  if (windows.length === 0) return undefined;
  // Nothing can settle in swap that is full.
  if (isSwapExhausted(snapshot)) return 0;
  return Math.max(
    ...windows.map(({ from, to }) => swapSettledShare(from.containers, to.containers, snapshot.pageBytes)),
  );
}
