import type { EvictionConfig } from "../policy/eviction/decide.ts";
import { formatRounded } from "../policy/kubernetes/quantity.ts";
import { formatTable } from "../terminal/table.ts";
import { endOf, flappingReason, flappingSummary, foldFlapping } from "./flapping.ts";
import type { RecordingSummary } from "./recording-file.ts";
import { type Replay, type ReplayedPhase, VICTIM_EXIT_SECONDS } from "./replay.ts";
import { drawDecisions, drawObservations, PLOT_LEGEND } from "./replay-plot.ts";
import { reasonOf, summaryOf, victimsOf } from "./replay-words.ts";
import { formatClock } from "./time.ts";

/** Replay, with the configuration that it was made with. */
export interface NamedReplay {
  /** Name of the configuration. */
  readonly name: string;
  /** Mode in the configuration, which the replay ignores. */
  readonly evictionMode: EvictionConfig["evictionMode"];
  readonly thresholds: readonly string[];
  readonly replay: Replay;
}

/** Formats a replay for people: the recording, a plot so many characters wide, and the decisions with their times. */
export function reportReplay(recording: RecordingSummary, named: NamedReplay, width: number): string {
  const { replay, thresholds } = named;
  const lines = [
    ...describeRecording(recording),
    `decided by  ${configurationOf(named)}`,
    "",
    ...drawObservations(replay.moments, width),
    ...drawDecisions(replay.moments, replay.phases, thresholds, width),
    PLOT_LEGEND,
    "",
    ...tableOf(replay.phases),
  ];
  return `${lines.join("\n")}\n`;
}

/** Describes a recording, in lines for people. */
export function describeRecording(recording: RecordingSummary): string[] {
  const { file, header, samples, seconds, memoryTotalBytes, swapTotalBytes, pods, containers, notes } =
    recording;
  const swap = swapTotalBytes > 0 ? `${formatRounded(swapTotalBytes)} of swap` : "no swap";
  return [
    `recording   ${file}: ${formatClock(seconds)} from ${header.startedAt} on, ${samples} samples, by wasp ${header.wasp}`,
    `node        ${formatRounded(memoryTotalBytes)} of memory, ${swap}, ${pods} pods with ${containers} containers seen`,
    ...notes.map((note) => `note        ${note}`),
  ];
}

/** Describes the configuration of a replay. */
export function configurationOf({ name, evictionMode }: NamedReplay): string {
  return evictionMode === "Enforce" ? name : `${name}, with evictionMode Enforce instead of ${evictionMode}`;
}

/** Explains the decisions after the first eviction of a replay; undefined if there are none. */
export function caveatOf(phases: readonly ReplayedPhase[]): string | undefined {
  const first = phases.find(({ decision }) => decision.verdict === "evict");
  if (first === undefined || !phases.some(({ isSupposed }) => isSupposed)) return undefined;
  return (
    `After ${formatClock(first.fromSeconds)} the decisions are hypothetical, because the victim stayed in the recording. ` +
    `Those marked ? assume that every request is accepted, that its pod is gone ${VICTIM_EXIT_SECONDS} s later, and that ` +
    "its eviction relieves nothing."
  );
}

/** Mark of a decision after an eviction that did not happen in the recording. */
export const SUPPOSED_SYMBOL = "?";

function tableOf(phases: readonly ReplayedPhase[]): string[] {
  const victims = victimsOf(phases);
  const rows = foldFlapping(phases).map((run) => {
    const [phase, ...others] = run;
    const words =
      others.length === 0
        ? [summaryOf(phase.decision, victims), reasonOf(phase)]
        : [flappingSummary(run), flappingReason(run)];
    return [
      formatClock(phase.fromSeconds),
      phase.decision.verdict === "evict" ? "" : `${Math.round(endOf(run) - phase.fromSeconds)} s`,
      phase.isSupposed ? SUPPOSED_SYMBOL : "",
      ...words,
    ];
  });
  const caveat = caveatOf(phases);
  return [
    ...formatTable([["FROM", "FOR", "", "DECISION", "WHY"], ...rows]),
    ...(caveat === undefined ? [] : ["", caveat]),
  ];
}
