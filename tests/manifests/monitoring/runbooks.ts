/** Runbooks of manifests/monitoring. */
import { readdirSync, readFileSync } from "node:fs";
import { MONITORING } from "./rules.ts";

/** Runbook of an alert. */
export interface Runbook {
  readonly alert: string;
  readonly text: string;
}

/** All runbooks. */
export const RUNBOOKS: readonly Runbook[] = readdirSync(`${MONITORING}/runbooks`)
  .sort()
  .map((file) => ({
    alert: file.replace(/\.md$/, ""),
    text: readFileSync(`${MONITORING}/runbooks/${file}`, "utf8"),
  }));

/** Returns the PromQL expressions of a runbook. */
export function expressionsOf({ text }: Runbook): string[] {
  const blocks = [...text.matchAll(/^```promql\n(.*?)^```$/gms)];
  return blocks.flatMap(([, block = ""]) => block.trim().split("\n"));
}
