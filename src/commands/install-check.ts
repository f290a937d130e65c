import { checkHost } from "../install/check/all-checks.ts";
import { findingsAsData, type Paint, reportFindings } from "../install/check/report.ts";
import { exitStatusOf, type Severity } from "../install/finding/finding.ts";
import type { Host } from "../install/target/host.ts";
import { print } from "./print.ts";

/** Checks a host and prints the findings; returns the exit status for them (install/finding/finding.ts). */
export function showCheck(host: Host, output: "text" | "json"): number {
  const findings = checkHost(host);
  const text =
    output === "json"
      ? `${JSON.stringify(findingsAsData(findings), null, 2)}\n`
      : reportFindings(findings, Bun.enableANSIColors && process.stdout.isTTY ? inColour : undefined);
  print(text);
  return exitStatusOf(findings);
}

const COLOURS: Readonly<Record<Severity, number>> = { error: 31, warning: 33, unknown: 35, note: 36, ok: 32 };

const inColour: Paint = (severity, word) => `\u001b[${COLOURS[severity]}m${word}\u001b[39m`;
