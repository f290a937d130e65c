import type { Observation } from "../policy/eviction/signals.ts";
import {
  drawAxis,
  drawIntervals,
  drawSeries,
  type Interval,
  LABEL_WIDTH,
  type Series,
  type TimeAxis,
} from "./chart.ts";
import type { ReplayedMoment, ReplayedPhase } from "./replay.ts";
import { formatClock } from "./time.ts";

const MIN_COLUMNS = 20;
const MET_SYMBOL = "░";
const CROSSED_SYMBOL = "█";
const EVICTED_SYMBOL = "▲";
const SUPPOSED_SYMBOL = "△";

/** Legend of the plot. */
export const PLOT_LEGEND = `${MET_SYMBOL} conditions met  ${CROSSED_SYMBOL} crossed, tainted  ${EVICTED_SYMBOL} evicted  ${SUPPOSED_SYMBOL} evicted next (hypothetical)`;

type Unit = Pick<Series, "ceiling" | "format">;

const PERCENT: Unit = { format: (fraction) => `${Math.round(fraction * 100)} %`, ceiling: 1 };
const RATE: Unit = { format: (pages) => `${pages}/s` };

/** Draws the observations of a replay, so many characters wide. */
export function drawObservations(moments: readonly ReplayedMoment[], width: number): string[] {
  const axis = axisOf(moments, width);
  const draw = (title: string, figureOf: (observation: Observation) => number | undefined, unit: Unit) => {
    const points = moments.map(({ atSeconds, observation }) => ({
      atSeconds,
      figure: figureOf(observation),
    }));
    return drawSeries({ title, points, ...unit }, axis);
  };
  return [
    ...draw("all tasks stalled", ({ stall }) => stall, PERCENT),
    ...draw("stalled by swap", ({ memoryPressure }) => memoryPressure, PERCENT),
    ...draw("settled swapping", ({ swapSettling }) => swapSettling, PERCENT),
    ...draw("swap in use", ({ swapUtilization }) => swapUtilization, PERCENT),
    ...draw("pages in", ({ swapInPagesPerSecond }) => swapInPagesPerSecond, RATE),
    ...draw("pages out", ({ swapOutPagesPerSecond }) => swapOutPagesPerSecond, RATE),
    ...drawAxis(axis, formatClock),
  ];
}

/** Draws the times at which a replay's thresholds were met and crossed, the node was tainted and a pod was evicted. */
export function drawDecisions(
  moments: readonly ReplayedMoment[],
  phases: readonly ReplayedPhase[],
  thresholds: readonly string[],
  width: number,
): string[] {
  const axis = axisOf(moments, width);
  const intervals = (symbolOf: (moment: ReplayedMoment) => string | undefined): Interval[] =>
    moments.flatMap((moment, index) => {
      const symbol = symbolOf(moment);
      const fromSeconds = moment.atSeconds;
      const toSeconds = moments[index + 1]?.atSeconds ?? fromSeconds;
      return symbol === undefined ? [] : [{ fromSeconds, toSeconds, symbol }];
    });
  const ofThreshold = (name: string) =>
    intervals(({ met, crossed }) =>
      crossed.includes(name) ? CROSSED_SYMBOL : met.includes(name) ? MET_SYMBOL : undefined,
    );
  const evictions = phases.filter(({ decision }) => decision.verdict === "evict");
  const points = evictions.map(({ fromSeconds, isSupposed }) => ({
    ...{ fromSeconds, toSeconds: fromSeconds },
    symbol: isSupposed ? SUPPOSED_SYMBOL : EVICTED_SYMBOL,
  }));
  return [
    ...thresholds.map((name) => drawIntervals(name, ofThreshold(name), axis)),
    drawIntervals(
      "tainted",
      intervals(({ isTainted }) => (isTainted ? CROSSED_SYMBOL : undefined)),
      axis,
    ),
    drawIntervals("evicted", points, axis),
  ];
}

function axisOf(moments: readonly ReplayedMoment[], width: number): TimeAxis {
  return {
    fromSeconds: moments[0]?.atSeconds ?? 0,
    toSeconds: moments.at(-1)?.atSeconds ?? 0,
    columns: Math.max(MIN_COLUMNS, width - LABEL_WIDTH - 1),
  };
}
