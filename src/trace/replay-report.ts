import type { EvictionConfig } from "../policy/eviction/decide.ts";
import { formatRounded } from "../policy/kubernetes/quantity.ts";
import { formatTable } from "../terminal/table.ts";
import type { RecordingSummary } from "./recording-file.ts";
import { type Replay, type ReplayedPhase, VICTIM_EXIT_SECONDS } from "./replay.ts";
import { drawDecisions, drawObservations, PLOT_LEGEND } from "./replay-plot.ts";
import { evictionReasonOf, summaryOf, victimsOf } from "./replay-words.ts";
import { formatClock } from "./time.ts";

/** A replay, and by what it was made. */
export interface NamedReplay {
  /** Of the configuration. */
  readonly name: string;
  /** The mode in the configuration, which the replay does not go by. */
  readonly evictionMode: EvictionConfig["evictionMode"];
  readonly thresholds: readonly string[];
  readonly replay: Replay;
}

/** Reports on a replay to people: the recording, a plot so many characters wide, and what was decided when. */
export function reportReplay(recording: RecordingSummary, named: NamedReplay, width: number): string {
  const { replay, thresholds } = named;
  const lines = [
    ...describeRecording(recording),
    `decided by  ${nameOf(named)}`,
    "",
    ...drawObservations(replay.moments, width),
    ...drawDecisions(replay.moments, replay.phases, thresholds, width),
    PLOT_LEGEND,
    "",
    ...tableOf(replay.phases),
  ];
  return `${lines.join("\n")}\n`;
}

/** What a recording is, in lines for people. */
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

/** What a replay was decided by. */
export function nameOf({ name, evictionMode }: NamedReplay): string {
  return evictionMode === "Enforce"
    ? name
    : `${name}, as if evictionMode were not ${evictionMode} but Enforce`;
}

/** What is to be known of all that comes after the first eviction of a replay; undefined where nothing does. */
export function caveatOf(phases: readonly ReplayedPhase[]): string | undefined {
  const first = phases.find(({ decision }) => decision.verdict === "evict");
  if (first === undefined || !phases.some(({ isSupposed }) => isSupposed)) return undefined;
  return (
    `After ${formatClock(first.fromSeconds)} the recording no longer tells what would have happened: in it the victim stayed. ` +
    `What follows, marked ?, supposes that every request is accepted, that its pod is gone ${VICTIM_EXIT_SECONDS} s later, and ` +
    "that it relieves nothing."
  );
}

/** Marks what is decided after an eviction that the recording knows nothing of. */
export const SUPPOSED_SYMBOL = "?";

function tableOf(phases: readonly ReplayedPhase[]): string[] {
  const victims = victimsOf(phases);
  const rows = phases.map(({ fromSeconds, toSeconds, decision, isSupposed }) => [
    formatClock(fromSeconds),
    decision.verdict === "evict" ? "" : `${Math.round(toSeconds - fromSeconds)} s`,
    isSupposed ? SUPPOSED_SYMBOL : "",
    summaryOf(decision, victims),
    evictionReasonOf(decision),
  ]);
  const caveat = caveatOf(phases);
  return [
    ...formatTable([["FROM", "FOR", "", "DECISION", "WHY"], ...rows]),
    ...(caveat === undefined ? [] : ["", caveat]),
  ];
}
