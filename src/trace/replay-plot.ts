import type { Observation } from "../policy/eviction/signals.ts";
import { drawAxis, drawMarks, drawSeries, LABEL_WIDTH, type Mark, type TimeAxis } from "./chart.ts";
import type { ReplayedMoment, ReplayedPhase } from "./replay.ts";
import { formatClock } from "./time.ts";

const MIN_COLUMNS = 20;
const MET = "░";
const CROSSED = "█";
const EVICTED = "▲";
const SUPPOSED = "△";

/** What stands below the plot. */
export const PLOT_LEGEND = `${MET} conditions met  ${CROSSED} crossed, tainted  ${EVICTED} evicted  ${SUPPOSED} evicted next, supposedly`;

/** Draws what a replay observed, so many characters wide. */
export function drawObservations(moments: readonly ReplayedMoment[], width: number): string[] {
  const axis = axisOf(moments, width);
  const series = (title: string, figureOf: (observation: Observation) => number | undefined) => ({
    title,
    points: moments.map(({ atSeconds, observation }) => ({ atSeconds, figure: figureOf(observation) })),
  });
  const percent = { format: (fraction: number) => `${Math.round(fraction * 100)} %` };
  const rate = { format: (pages: number) => `${pages}/s` };
  return [
    ...drawSeries({ ...series("all tasks stalled", ({ stall }) => stall), ...percent, ceiling: 1 }, axis),
    ...drawSeries(
      { ...series("stalled by swap", ({ memoryPressure }) => memoryPressure), ...percent, ceiling: 1 },
      axis,
    ),
    ...drawSeries(
      { ...series("swapping settles", ({ swapSettling }) => swapSettling), ...percent, ceiling: 1 },
      axis,
    ),
    ...drawSeries(
      { ...series("swap in use", ({ swapUtilization }) => swapUtilization), ...percent, ceiling: 1 },
      axis,
    ),
    ...drawSeries(
      { ...series("pages in", ({ swapInPagesPerSecond }) => swapInPagesPerSecond), ...rate },
      axis,
    ),
    ...drawSeries(
      { ...series("pages out", ({ swapOutPagesPerSecond }) => swapOutPagesPerSecond), ...rate },
      axis,
    ),
    ...drawAxis(axis, formatClock),
  ];
}

/** Draws when a replay's thresholds were met and crossed, and when the node was tainted and a pod evicted. */
export function drawDecisions(
  moments: readonly ReplayedMoment[],
  phases: readonly ReplayedPhase[],
  thresholds: readonly string[],
  width: number,
): string[] {
  const axis = axisOf(moments, width);
  const marks = (markOf: (moment: ReplayedMoment) => string | undefined): Mark[] =>
    moments.flatMap((moment, index) => {
      const mark = markOf(moment);
      const fromSeconds = moment.atSeconds;
      const toSeconds = moments[index + 1]?.atSeconds ?? fromSeconds;
      return mark === undefined ? [] : [{ fromSeconds, toSeconds, mark }];
    });
  const ofThreshold = (name: string) =>
    marks(({ met, crossed }) => (crossed.includes(name) ? CROSSED : met.includes(name) ? MET : undefined));
  const evictions = phases.filter(({ decision }) => decision.verdict === "evict");
  const points = evictions.map(({ fromSeconds, isSupposed }) => ({
    ...{ fromSeconds, toSeconds: fromSeconds },
    mark: isSupposed ? SUPPOSED : EVICTED,
  }));
  return [
    ...thresholds.map((name) => drawMarks(name, ofThreshold(name), axis)),
    drawMarks(
      "tainted",
      marks(({ isTainted }) => (isTainted ? CROSSED : undefined)),
      axis,
    ),
    drawMarks("evicted", points, axis),
  ];
}

function axisOf(moments: readonly ReplayedMoment[], width: number): TimeAxis {
  return {
    fromSeconds: moments[0]?.atSeconds ?? 0,
    toSeconds: moments.at(-1)?.atSeconds ?? 0,
    columns: Math.max(MIN_COLUMNS, width - LABEL_WIDTH - 1),
  };
}
