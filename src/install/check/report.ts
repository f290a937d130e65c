import { exitStatusOf, type Finding, SEVERITIES, type Severity } from "../finding/finding.ts";

/** Highlights a word by its severity, such as with a colour. */
export type Paint = (severity: Severity, word: string) => string;

/** Formats findings as text: the number of each severity, then each finding, the worst first. */
export function reportFindings(findings: readonly Finding[], paint: Paint = (_, word) => word): string {
  const ordered = SEVERITIES.flatMap((severity) => findings.filter((one) => one.severity === severity));
  const widths = { severity: widest(SEVERITIES), id: widest(findings.map(({ id }) => id)) };
  const lines = ordered.flatMap((finding) => linesOf(finding, widths, paint));
  return `${[summaryOf(findings), "", ...lines].join("\n")}\n`;
}

/** Returns the document of `-o json`: the findings in the order of their rules, and the exit status. */
export function findingsAsData(findings: readonly Finding[]): object {
  const all = findings.map((finding) => ({ ...finding, remedy: finding.remedy ?? null }));
  return { check: CHECK_VERSION, exitStatus: exitStatusOf(findings), findings: all };
}

const CHECK_VERSION = "wasp.io/check/v1";

function summaryOf(findings: readonly Finding[]): string {
  const counts = SEVERITIES.map((severity) => {
    const count = findings.filter((one) => one.severity === severity).length;
    const isNoun = severity !== "unknown" && severity !== "ok";
    return `${count} ${severity}${isNoun && count !== 1 ? "s" : ""}`;
  });
  return counts.join(", ");
}

interface Widths {
  readonly severity: number;
  readonly id: number;
}

function linesOf({ id, severity, found, right, remedy }: Finding, widths: Widths, paint: Paint): string[] {
  const word = paint(severity, severity) + " ".repeat(widths.severity - severity.length);
  const first = `${word}  ${id.padEnd(widths.id)}  ${oneLine(found)}`;
  if (severity === "ok") return [first];
  const indent = " ".repeat(widths.severity + widths.id + 4);
  return [
    first,
    `${indent}right:  ${right}`,
    ...(remedy === undefined ? [] : [`${indent}remedy: ${oneLine(remedy)}`]),
  ];
}

// The output of another program may have line breaks or control characters.
function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " / ").replace(/\p{Cc}/gu, "?");
}

function widest(words: readonly string[]): number {
  return Math.max(0, ...words.map(({ length }) => length));
}
