import { printable, printableJson } from "../../terminal/printable.ts";
import { formatTable } from "../../terminal/table.ts";
import type { HostOutcome } from "./outcome.ts";
import type { OutputLine } from "./transcript.ts";

/** Returns true if all hosts are done. */
export function areAllDone(outcomes: readonly HostOutcome[]): boolean {
  return outcomes.every(({ result }) => result === "done");
}

/** Formats the outcomes as text: a table and a sentence. */
export function summarize(outcomes: readonly HostOutcome[]): string {
  const rows = outcomes.map(({ host, result, seconds, reason }) => [
    host,
    result,
    result === "not-begun" ? "" : `${seconds.toFixed(1)} s`,
    printable(reason ?? ""),
  ]);
  const table = formatTable([["HOST", "RESULT", "TIME", "REASON"], ...rows]);
  return `${[...table, "", sentenceOf(outcomes)].join("\n")}\n`;
}

function sentenceOf(outcomes: readonly HostOutcome[]): string {
  const count = (wanted: HostOutcome["result"]) => outcomes.filter(({ result }) => result === wanted).length;
  const others = (["failed", "stopped", "not-begun"] as const)
    .filter((result) => count(result) > 0)
    .map((result) => `${count(result)} ${result.replace("-", " ")}`);
  return [`${count("done")} of ${outcomes.length} hosts done`, ...others].join(", ");
}

/**
 * Formats the outcomes as one JSON object with a list `hosts`. Wasp's standard output on a host is its `report` if it is
 * JSON, otherwise its `stdout`.
 */
export function formatOutcomes(outcomes: readonly HostOutcome[]): string {
  const hosts = outcomes.map(({ output, seconds, ...outcome }) => ({
    ...outcome,
    seconds: Number(seconds.toFixed(3)),
    ...parseStdout(textOf(output, "stdout")),
    stderr: textOf(output, "stderr"),
  }));
  return `${printableJson(JSON.stringify({ hosts }, undefined, 2))}\n`;
}

function textOf(output: readonly OutputLine[], wanted: OutputLine["stream"]): string {
  return output
    .filter(({ stream }) => stream === wanted)
    .map(({ text }) => `${text}\n`)
    .join("");
}

function parseStdout(stdout: string): { readonly report: unknown } | { readonly stdout: string } {
  try {
    return { report: JSON.parse(stdout) };
  } catch {
    return { stdout };
  }
}
