// `npm run monitoring`: makes the Kubernetes objects of manifests/monitoring of its rules.
import { readFileSync, writeFileSync } from "node:fs";
import { MONITORING } from "./rules.ts";

/** An object that holds the rules. */
export interface RulesObject {
  /** Its name in manifests/monitoring. */
  readonly file: string;
  readonly head: string;
}

/** The objects that hold the rules, for either operator. */
export const OBJECTS: readonly RulesObject[] = [
  {
    file: "prometheusrule.yaml",
    head: `# Made of rules.yaml by \`npm run monitoring\`.
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
    head: `# Made of rules.yaml by \`npm run monitoring\`. For OpenShift's own Prometheus, which takes rules from this namespace alone.
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

/** The text of an object that holds these rules, with their comments. */
export function textOf({ head }: RulesObject, rules: string): string {
  return `${head}spec:\n${rules.replace(/^(?=.)/gm, "  ")}`;
}

if (import.meta.main) {
  const rules = readFileSync(`${MONITORING}/rules.yaml`, "utf8");
  for (const object of OBJECTS) writeFileSync(`${MONITORING}/${object.file}`, textOf(object, rules));
}
