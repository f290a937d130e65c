import type { ReplayedPhase } from "./replay.ts";
import { formatClock } from "./time.ts";

/** Longest phase of a flapping decision, exclusive. */
const FLAP_SECONDS = 30;

/** Smallest number of phases that flap: three changes back and forth. */
const MIN_FLAPS = 4;

/** Consecutive phases that are reported in one line: a single one, or all of a flapping decision. */
export type PhaseRun = readonly [ReplayedPhase, ...ReplayedPhase[]];

/**
 * Groups phases into the lines of a report: two holds that alternate four or more times in a row, each time for less
 * than 30 s, are one line.
 */
export function foldFlapping(phases: readonly ReplayedPhase[]): PhaseRun[] {
  const runs: PhaseRun[] = [];
  for (let at = 0; at < phases.length; ) {
    const [first, ...rest] = phases.slice(at, at + flapsFrom(phases, at));
    if (first === undefined) break;
    const run: PhaseRun = rest.length + 1 < MIN_FLAPS ? [first] : [first, ...rest];
    runs.push(run);
    at += run.length;
  }
  return runs;
}

/** Returns the number of phases from one on that alternate between the reasons of its first two. */
function flapsFrom(phases: readonly ReplayedPhase[], start: number): number {
  const reasons = [start, start + 1].map((at) => shortHoldOf(phases[at]));
  if (reasons.includes(undefined)) return 1;
  let end = start + 2;
  while (end < phases.length && shortHoldOf(phases[end]) === reasons[(end - start) % 2]) end += 1;
  return end - start;
}

function shortHoldOf(phase: ReplayedPhase | undefined): string | undefined {
  if (phase?.decision.verdict !== "hold" || secondsOf(phase) >= FLAP_SECONDS) return undefined;
  return phase.decision.reason;
}

/** Describes a flapping decision in as many words as one that stays: `hold grace-period/not-pressed`. */
export function flappingSummary(run: PhaseRun): string {
  return `hold ${reasonsOf(run).join("/")}`;
}

/** Describes the phases of a flapping decision: their end, and of each reason how often and how long it held. */
export function flappingReason(run: PhaseRun): string {
  const parts = reasonsOf(run).map((reason) => {
    const own = run.filter(({ decision }) => decision.verdict === "hold" && decision.reason === reason);
    const seconds = own.reduce((sum, phase) => sum + secondsOf(phase), 0);
    return `${reason} ${own.length} times for ${Math.round(seconds)} s in all`;
  });
  return `alternating until ${formatClock(endOf(run))}: ${parts.join(", ")}`;
}

/** Returns the end of the last phase, in seconds of the recording. */
export function endOf(run: PhaseRun): number {
  return run.at(-1)?.toSeconds ?? run[0].toSeconds;
}

function reasonsOf(run: PhaseRun): string[] {
  return [...new Set(run.flatMap(({ decision }) => (decision.verdict === "hold" ? [decision.reason] : [])))];
}

function secondsOf({ fromSeconds, toSeconds }: ReplayedPhase): number {
  return toSeconds - fromSeconds;
}
