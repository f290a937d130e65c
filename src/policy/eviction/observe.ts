import { capacitySignals } from "./capacity-signals.ts";
import { type Counters, countersOf, isContinuedBy, rate, stallOf } from "./counters.ts";
import {
  ALL_PODS,
  type HarmExcuse,
  type HarmInput,
  type HarmState,
  harmedOf,
  harmOf,
  STALLED_FRACTION,
  updateHarm,
} from "./harm.ts";
import { harmInputsOf } from "./harm-inputs.ts";
import { podFiguresOf, type TimedPods } from "./pod-figures.ts";
import type { Observation, PressureCause } from "./signals.ts";
import type { Snapshot } from "./snapshot.ts";
import { type SwapFlow, settlingShareOf, swapFlowsOf } from "./swap-flow.ts";
import { isSwapExhausted } from "./swap-headroom.ts";
import { type TimeWindow, windowOf, withLatest } from "./time-window.ts";

/** State between two observations; times in seconds of a monotonic clock. */
export interface SignalHistory {
  /** The latest counters, oldest first. */
  readonly counters: readonly Counters[];
  /** The latest figures of the pods, without a gap up to now, no further back than the flow window. */
  readonly pods: readonly TimedPods[];
  readonly harm: HarmState;
}

/** State before the first observation. */
export const NO_SIGNAL_HISTORY: SignalHistory = { counters: [], pods: [], harm: {} };

/** Knobs of the signals. */
export interface ObservationConfig {
  /** Window over which swap traffic is averaged. */
  readonly trafficWindowSeconds: number;
}

// A stall counts if it lasted for some seconds and still lasts: the end of a spike ends it.
const STALL_WINDOW_SECONDS = 5;
const LATEST_WINDOW_SECONDS = 2;
// Over this window, reclaim that alternates between cgroups evens out.
const FLOW_WINDOW_SECONDS = 10;
// Below this rate, pages move on any node that has ever swapped.
const MOVING_PAGES_PER_SECOND = 50;
// Files that are read again beside them do not hide pages that come back from swap.
const ANON_TO_FILE_FRACTION = 0.1;

/** Computes all signals from a snapshot and the history. */
export function observe(
  before: SignalHistory,
  snapshot: Snapshot,
  config: ObservationConfig,
): { readonly observation: Observation; readonly history: SignalHistory } {
  const { counters, pods, harm: harmBefore } = withSnapshot(before, snapshot, config);
  const traffic = windowOf(counters, config.trafficWindowSeconds);
  const stalled = windowOf(counters, STALL_WINDOW_SECONDS);
  const latest = windowOf(counters, LATEST_WINDOW_SECONDS);
  const stall = lowest(stallOf(stalled), stallOf(latest));
  const flows = flowsIn(pods, STALL_WINDOW_SECONDS, snapshot.pageBytes);
  const swapSettling = flows && (isSwapExhausted(snapshot) ? 0 : settlingShareOf(flows.values()));
  const pressureCause = causeOf(stalled, snapshot);
  const inputs = harmInputsOf({
    ...{ snapshot, counters, pods, flows, swapSettling, cause: pressureCause },
    longFlows: flowsIn(pods, FLOW_WINDOW_SECONDS, snapshot.pageBytes),
  });
  const secondsSinceLast = snapshot.atSeconds - (counters.at(-2)?.atSeconds ?? snapshot.atSeconds);
  const harm = updateHarm(harmBefore, inputs, secondsSinceLast);
  const { swapUtilization, ...capacity } = capacitySignals(snapshot);
  const observation = {
    swapUtilization,
    swapInPagesPerSecond: rate(traffic, "swapInPages"),
    swapOutPagesPerSecond: rate(traffic, "swapOutPages"),
    refaultsPerSecond: sumOfKnown(rate(traffic, "anonRefaults"), rate(traffic, "fileRefaults")),
    swapSettling,
    ...capacity,
    memoryPressure: stall !== undefined && pressureCause === undefined ? 0 : stall,
    harm: stall === undefined ? undefined : harmOf(harm),
    pressureCause,
    stall,
    anyStall: stallOf(latest, "anyStallMicroseconds"),
    harmedPods: harmedOf(harm).filter((key) => key !== ALL_PODS),
    excuse: excuseOfStalled(inputs.values()),
  };
  return { observation, history: { counters, pods, harm } };
}

function withSnapshot(
  history: SignalHistory,
  snapshot: Snapshot,
  { trafficWindowSeconds }: ObservationConfig,
): SignalHistory {
  const now = countersOf(snapshot);
  const { counters, pods, harm } = isContinuedBy(history.counters.at(-1), now) ? history : NO_SIGNAL_HISTORY;
  return {
    counters: withLatest(counters, now, Math.max(STALL_WINDOW_SECONDS, trafficWindowSeconds)),
    pods: withPods(pods, snapshot),
    harm,
  };
}

// Containers of a quiet node are not sampled: samples from before that gap say nothing about now.
function withPods(history: readonly TimedPods[], snapshot: Snapshot): readonly TimedPods[] {
  const pods = podFiguresOf(snapshot);
  return pods.size === 0
    ? []
    : withLatest(history, { atSeconds: snapshot.atSeconds, pods }, FLOW_WINDOW_SECONDS);
}

function excuseOfStalled(inputs: Iterable<HarmInput>): HarmExcuse | undefined {
  const stalled = [...inputs].filter(({ stall }) => stall !== undefined && stall >= STALLED_FRACTION);
  // Who has none is harmed, or soon will be.
  return stalled.some(({ excuse }) => excuse === undefined) ? undefined : stalled[0]?.excuse;
}

function lowest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.min(a, b);
}

function sumOfKnown(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

function flowsIn(
  history: readonly TimedPods[],
  seconds: number,
  pageBytes: number,
): ReadonlyMap<string, SwapFlow> | undefined {
  const window = windowOf(history, seconds);
  return window && swapFlowsOf(window.from.pods, window.to.pods, pageBytes);
}

/** Finds the part of swap in a stall: pages that come back, pages that go out, or no room for any. */
function causeOf(window: TimeWindow<Counters> | undefined, snapshot: Snapshot): PressureCause | undefined {
  const file = rate(window, "fileRefaults") ?? 0;
  const isMoving = (pages = 0) => pages >= MOVING_PAGES_PER_SECOND && pages >= ANON_TO_FILE_FRACTION * file;
  if (isMoving(rate(window, "anonRefaults"))) return "anonymous-refault";
  if (isMoving(rate(window, "swapInPages"))) return "swap-in";
  if (isMoving(rate(window, "swapOutPages"))) return "swap-out";
  return isSwapExhausted(snapshot) ? "swap-exhausted" : undefined;
}
