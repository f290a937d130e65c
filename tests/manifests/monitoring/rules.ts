/** Alerts of manifests/monitoring. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { MANIFESTS } from "../kustomize.ts";

/** Folder of the alerts, runbooks and dashboard. */
export const MONITORING = `${MANIFESTS}/monitoring`;

/** Alerting rule in Prometheus's format. */
export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Rule groups of rules.yaml. */
export const GROUPS: readonly { readonly name: string; readonly rules: readonly Rule[] }[] = parse(
  readFileSync(`${MONITORING}/rules.yaml`, "utf8"),
).groups;

/** Alerts of all groups. */
export const RULES: readonly Rule[] = GROUPS.flatMap(({ rules }) => rules);
