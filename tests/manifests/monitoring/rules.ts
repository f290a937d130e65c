/** The alerts of manifests/monitoring. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { MANIFESTS } from "../kustomize.ts";

/** The folder of all that watches wasp. */
export const MONITORING = `${MANIFESTS}/monitoring`;

/** An alert as Prometheus reads it. */
export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The rules as they stand in rules.yaml. */
export const GROUPS: readonly { readonly name: string; readonly rules: readonly Rule[] }[] = parse(
  readFileSync(`${MONITORING}/rules.yaml`, "utf8"),
).groups;

/** All alerts, of whatever group. */
export const RULES: readonly Rule[] = GROUPS.flatMap(({ rules }) => rules);
