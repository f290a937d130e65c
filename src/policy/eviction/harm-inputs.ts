import { type Counters, stallOf } from "./counters.ts";
import { ALL_PODS, type HarmExcuse, type HarmInput } from "./harm.ts";
import type { PodFigures, TimedPods } from "./pod-figures.ts";
import { isMemoryAmple } from "./shortage.ts";
import type { PressureCause } from "./signals.ts";
import type { Snapshot } from "./snapshot.ts";
import { ONE_WAY_FRACTION, returnedShareOf, type SwapFlow, takenPagesOf } from "./swap-flow.ts";
import { type TimeWindow, windowOf } from "./time-window.ts";

/** Basis of the harm at one moment. */
export interface HarmBasis {
  readonly snapshot: Snapshot;
  /** The latest counters and figures, oldest first. */
  readonly counters: readonly Counters[];
  readonly pods: readonly TimedPods[];
  /** Flows of the pods in the last seconds; undefined while containers are not sampled. */
  readonly flows: ReadonlyMap<string, SwapFlow> | undefined;
  /** The same over a longer time, in which memory that is taken and given back again and again evens out. */
  readonly longFlows: ReadonlyMap<string, SwapFlow> | undefined;
  /** See settlingShareOf. */
  readonly swapSettling: number | undefined;
  readonly cause: PressureCause | undefined;
}

const MEAN_WINDOW_SECONDS = 3;
// The last two samples, however far apart they are.
const LAST_STEP_SECONDS = 0.001;
// Reclaim frees a moment's room again and again: memory counts as short for some seconds after it was.
const SHORT_WINDOW_SECONDS = 5;
const SETTLING_FRACTION = 0.1;
// On many processors it is rare that all tasks wait at once: there, the part of the time in which any waits says more.
const MOSTLY_WAITING_FRACTION = 0.6;
// Fewer in the ten seconds of a pod's flow come back on any node that has ever swapped.
const READ_BACK_PAGES = 500;
const AT_LIMIT_FRACTION = 0.97;
const MOST_FRACTION = 0.8;
const MICROSECONDS_PER_SECOND = 1e6;

/** Returns the stall of each pod with its excuse; that of all pods together where pods have none of their own. */
export function harmInputsOf(basis: HarmBasis): ReadonlyMap<string, HarmInput> {
  const { counters, pods, cause, flows, longFlows } = basis;
  const returnedShare = returnedShareOf(flows?.values() ?? []);
  const excuse = excuseOf(basis);
  const [mean, last] = [windowOf(pods, MEAN_WINDOW_SECONDS), windowOf(pods, LAST_STEP_SECONDS)];
  const own = [...(pods.at(-1)?.pods ?? [])].flatMap(([uid, now]) => {
    const meanStall = ownStallOf(mean, uid, now);
    if (meanStall === undefined) return [];
    const stall = Math.max(meanStall, ownStallOf(last, uid, now) ?? 0);
    const ownExcuse = ownExcuseOf(excuse, longFlows?.get(uid), hasMetOwnLimit(mean, uid, now));
    return [[uid, { stall, meanStall, excuse: ownExcuse, returnedShare }] as const];
  });
  if (own.length > 0) return new Map(own);
  const meanStall = stallOfAll(
    windowOf(counters, MEAN_WINDOW_SECONDS),
    cause === "anonymous-refault" && returnedShare > ONE_WAY_FRACTION,
  );
  const lastStall = stallOf(windowOf(counters, LAST_STEP_SECONDS));
  const stall = meanStall === undefined ? undefined : Math.max(meanStall, lastStall ?? 0);
  return new Map([[ALL_PODS, { stall, meanStall, excuse, returnedShare }]]);
}

/** Returns the excuse of a pod's own stall, by that of all pods. */
function ownExcuseOf(
  excuse: HarmExcuse | undefined,
  flow: SwapFlow | undefined,
  hasMetLimit: boolean,
): HarmExcuse | undefined {
  // A pod that meets its own limit again and again would go on waiting there without the others.
  if (hasMetLimit && excuse !== "not-swap") return "self-inflicted";
  if (excuse === "recovering" || excuse === "not-swap" || flow === undefined) return excuse;
  const { inPages, outPages } = flow;
  if (takenPagesOf(flow) > inPages) return "growing";
  // What others give away excuses no pod that reads its own memory back.
  return inPages <= ONE_WAY_FRACTION * outPages && inPages < READ_BACK_PAGES ? excuse : undefined;
}

function excuseOf({ snapshot, counters, flows, swapSettling, cause }: HarmBasis): HarmExcuse | undefined {
  const isLate = ({ atSeconds }: Counters) => snapshot.atSeconds - atSeconds <= SHORT_WINDOW_SECONDS;
  const wasShort = !isMemoryAmple(snapshot) && counters.some((one) => one.isShort && isLate(one));
  if (!wasShort) return isThrashingInOwnLimit(snapshot, flows) ? undefined : "recovering";
  if (cause === undefined) return "not-swap";
  return swapSettling !== undefined && swapSettling >= SETTLING_FRACTION ? "settling" : undefined;
}

// Older recordings have no memory.events: there, a pod that thrashes at its own memory limit is the cause.
function isThrashingInOwnLimit(
  { containers, pods, podSamples }: Snapshot,
  flows: ReadonlyMap<string, SwapFlow> | undefined,
): boolean {
  if (flows === undefined || podSamples.length > 0) return false;
  const limits = new Map(
    pods.flatMap((pod) => pod.containers.map(({ id, memoryLimitBytes }) => [id, memoryLimitBytes])),
  );
  const atLimit = containers.filter(
    ({ id, memoryBytes }) => memoryBytes >= AT_LIMIT_FRACTION * (limits.get(id) ?? Number.POSITIVE_INFINITY),
  );
  const inPages = atLimit.reduce((sum, { podUid }) => sum + (flows.get(podUid)?.inPages ?? 0), 0);
  const allInPages = [...flows.values()].reduce((sum, flow) => sum + flow.inPages, 0);
  return inPages > 0 && inPages >= MOST_FRACTION * allInPages;
}

/** Returns the stall of all pods together; `isReadBack`: what was swapped out comes back. */
function stallOfAll(window: TimeWindow<Counters> | undefined, isReadBack: boolean): number | undefined {
  const [full, some] = [stallOf(window), stallOf(window, "anyStallMicroseconds")];
  if (full === undefined || some === undefined || !isReadBack || some < MOSTLY_WAITING_FRACTION) return full;
  return Math.max(full, some / 2);
}

function ownStallOf(
  window: TimeWindow<TimedPods> | undefined,
  uid: string,
  { stallMicroseconds: after }: PodFigures,
): number | undefined {
  const before = window?.from.pods.get(uid)?.stallMicroseconds;
  if (window === undefined || before === undefined || after === undefined) return undefined;
  const seconds = window.to.atSeconds - window.from.atSeconds;
  return Math.max(0, Math.min(1, (after - before) / MICROSECONDS_PER_SECOND / seconds));
}

/** Returns true if a pod reclaimed against a limit of its own at least once a second. */
function hasMetOwnLimit(
  window: TimeWindow<TimedPods> | undefined,
  uid: string,
  { ownLimitEvents = 0 }: PodFigures,
): boolean {
  if (window === undefined) return false;
  const events = ownLimitEvents - (window.from.pods.get(uid)?.ownLimitEvents ?? ownLimitEvents);
  return events > 0 && events >= Math.floor(window.to.atSeconds - window.from.atSeconds);
}
