import { isMemoryShort } from "./shortage.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Timed, TimeWindow } from "./time-window.ts";

const COUNTERS = [
  "swapInPages",
  "swapOutPages",
  "anonRefaults",
  "fileRefaults",
  "stallMicroseconds",
  "anyStallMicroseconds",
] as const;

type CounterName = (typeof COUNTERS)[number];

/** Counters of a node at one moment. */
export interface Counters extends Timed, Readonly<Record<CounterName, number | undefined>> {
  /** True if the memory that all pods share is short. */
  readonly isShort: boolean;
}

// Counters before a longer gap say nothing about now: the agent was stopped. A starved one may look once in minutes.
const MAX_GAP_SECONDS = 600;
const MICROSECONDS_PER_SECOND = 1e6;

/** Returns the counters of a snapshot. */
export function countersOf({ atSeconds, node, kubepods }: Snapshot): Counters {
  const pressure = kubepods?.memoryPressure ?? node.memoryPressure;
  return {
    atSeconds,
    swapInPages: node.swapInPages,
    swapOutPages: node.swapOutPages,
    anonRefaults: kubepods?.anonRefaults,
    fileRefaults: kubepods?.fileRefaults,
    // Without "full" it is unknown whether any task could still run.
    stallMicroseconds: pressure?.full?.totalMicroseconds,
    anyStallMicroseconds: pressure?.some.totalMicroseconds,
    isShort: isMemoryShort({ node, kubepods }),
  };
}

/** Returns true if counters continue earlier ones: one that went back has restarted, as kubepods was created again. */
export function isContinuedBy(last: Counters | undefined, now: Counters): boolean {
  if (last === undefined) return false;
  const gapSeconds = now.atSeconds - last.atSeconds;
  const hasGoneBack = COUNTERS.some((name) => (now[name] ?? 0) < (last[name] ?? 0));
  return gapSeconds > 0 && gapSeconds <= MAX_GAP_SECONDS && !hasGoneBack;
}

/** Returns the rate of a counter in a window, a second; undefined where it is unknown. */
export function rate(window: TimeWindow<Counters> | undefined, name: CounterName): number | undefined {
  const [before, after] = [window?.from[name], window?.to[name]];
  if (window === undefined || before === undefined || after === undefined) return undefined;
  return (after - before) / (window.to.atSeconds - window.from.atSeconds);
}

/** Returns the stalled fraction of a window; undefined where it is unknown. */
export function stallOf(window: TimeWindow<Counters> | undefined, name: CounterName = "stallMicroseconds") {
  const stalled = rate(window, name);
  // The kernel's clock and the agent's differ, so the quotient may exceed 1.
  return stalled === undefined ? undefined : Math.min(1, stalled / MICROSECONDS_PER_SECOND);
}
