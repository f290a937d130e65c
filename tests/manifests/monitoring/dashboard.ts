/** The dashboard of manifests/monitoring. */
import dashboard from "../../../manifests/monitoring/dashboard.json";

/** One of its panels, with the expressions that Prometheus is sent for it. */
export interface Panel {
  readonly title: string;
  readonly expressions: readonly string[];
}

/** All panels, with what Grafana puts in the place of its variables: an interval, any node. */
export const PANELS: readonly Panel[] = dashboard.panels.map(({ title, targets }) => ({
  title,
  expressions: targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "5m").replaceAll("$node", ".*")),
}));
