// `npm run monitoring`: generates the Kubernetes objects of manifests/monitoring from its rules.
import { readFileSync, writeFileSync } from "node:fs";
import { MONITORING } from "./rules.ts";

/** Kubernetes object that contains the rules. */
export interface RulesObject {
  /** Name of its file in manifests/monitoring. */
  readonly file: string;
  readonly head: string;
}

/** Objects that contain the rules, one for each operator. */
export const OBJECTS: readonly RulesObject[] = [
  {
    file: "prometheusrule.yaml",
    head: `# Generated from rules.yaml by \`npm run monitoring\`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: wasp
  namespace: wasp
  labels:
    app.kubernetes.io/name: wasp
`,
  },
  {
    file: "alertingrule.yaml",
    head: `# Generated from rules.yaml by \`npm run monitoring\`. For OpenShift's own Prometheus, which only reads rules of this namespace.
apiVersion: monitoring.openshift.io/v1
kind: AlertingRule
metadata:
  name: wasp
  namespace: openshift-monitoring
  labels:
    app.kubernetes.io/name: wasp
`,
  },
];

/** Returns the text of an object that contains these rules with their comments. */
export function textOf({ head }: RulesObject, rules: string): string {
  return `${head}spec:\n${rules.replace(/^(?=.)/gm, "  ")}`;
}

if (import.meta.main) {
  const rules = readFileSync(`${MONITORING}/rules.yaml`, "utf8");
  for (const object of OBJECTS) writeFileSync(`${MONITORING}/${object.file}`, textOf(object, rules));
}
