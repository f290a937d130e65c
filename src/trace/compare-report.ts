import { formatTable } from "../terminal/table.ts";
import { endOf, flappingSummary, foldFlapping, type PhaseRun } from "./flapping.ts";
import type { RecordingSummary } from "./recording-file.ts";
import type { ReplayedPhase } from "./replay.ts";
import { drawDecisions, drawObservations, PLOT_LEGEND } from "./replay-plot.ts";
import {
  caveatOf,
  configurationOf,
  describeRecording,
  type NamedReplay,
  SUPPOSED_SYMBOL,
} from "./replay-report.ts";
import { summaryOf, victimsOf } from "./replay-words.ts";
import { formatClock } from "./time.ts";

const DIFFERENT_SYMBOL = "≠";

/** Formats two replays of a recording side by side, with their differences. */
export function reportComparison(
  recording: RecordingSummary,
  [a, b]: readonly [NamedReplay, NamedReplay],
  width: number,
): string {
  const drawn = ({ replay, thresholds }: NamedReplay) =>
    drawDecisions(replay.moments, replay.phases, thresholds, width);
  const caveats = [caveatOf(a.replay.phases), caveatOf(b.replay.phases)].map((caveat, index) =>
    caveat === undefined ? [] : ["", `${"AB"[index]}: ${caveat}`],
  );
  const lines = [
    ...describeRecording(recording),
    `decided by  A: ${configurationOf(a)}`,
    `            B: ${configurationOf(b)}`,
    "",
    "as A observes it",
    ...drawObservations(a.replay.moments, width),
    "A",
    ...drawn(a),
    "B",
    ...drawn(b),
    PLOT_LEGEND,
    "",
    ...formatTable([["", "A", "B"], ...differencesBetween(a, b)]),
    "",
    ...formatTable([["FROM", "A", "B"], ...sideBySide(a.replay.phases, b.replay.phases)]),
    ...caveats.flat(),
  ];
  return `${lines.join("\n")}\n`;
}

function differencesBetween(a: NamedReplay, b: NamedReplay): string[][] {
  const row = (title: string, cellOf: (named: NamedReplay) => string) => {
    const [left, right] = [cellOf(a), cellOf(b)];
    return [title, left, right, left === right ? "" : DIFFERENT_SYMBOL];
  };
  return [
    row("first tainted", ({ replay }) =>
      clockOf(replay.moments.find(({ isTainted }) => isTainted)?.atSeconds),
    ),
    row("first evicted", ({ replay: { phases } }) => {
      const first = phases.find(({ decision }) => decision.verdict === "evict");
      return first === undefined
        ? "never"
        : `${clockOf(first.fromSeconds)} ${summaryOf(first.decision, new Map())}`;
    }),
    row("evictions", ({ replay: { phases } }) => {
      return String(phases.filter(({ decision }) => decision.verdict === "evict").length);
    }),
  ];
}

function clockOf(seconds: number | undefined): string {
  return seconds === undefined ? "never" : formatClock(seconds);
}

function sideBySide(a: readonly ReplayedPhase[], b: readonly ReplayedPhase[]): string[][] {
  const [runsOfA, runsOfB] = [foldFlapping(a), foldFlapping(b)];
  const starts = [...runsOfA, ...runsOfB].map(([{ fromSeconds }]) => fromSeconds);
  const times = [...new Set(starts)].sort((x, y) => x - y);
  const [victimsOfA, victimsOfB] = [victimsOf(a), victimsOf(b)];
  return times.map((atSeconds) => {
    const [left, right] = [runAt(runsOfA, atSeconds), runAt(runsOfB, atSeconds)];
    const words = [summaryOfRun(left, victimsOfA), summaryOfRun(right, victimsOfB)] as const;
    const isSame = words[0] === words[1] && changesWithin(left) === changesWithin(right);
    return [formatClock(atSeconds), ...words, isSame ? "" : DIFFERENT_SYMBOL];
  });
}

function runAt(runs: readonly PhaseRun[], atSeconds: number): PhaseRun | undefined {
  return runs.findLast(([{ fromSeconds }]) => fromSeconds <= atSeconds);
}

function summaryOfRun(run: PhaseRun | undefined, victims: ReadonlyMap<string, string>): string {
  if (run === undefined) return "";
  const [phase, ...others] = run;
  const words =
    others.length === 0
      ? summaryOf(phase.decision, victims)
      : `${flappingSummary(run)} ${run.length} times until ${formatClock(endOf(run))}`;
  return phase.isSupposed ? `${words} ${SUPPOSED_SYMBOL}` : words;
}

// Two that flap as often and as long may still flap at different times.
function changesWithin([, ...others]: PhaseRun | readonly [] = []): string {
  return others.map(({ fromSeconds }) => fromSeconds).join();
}
