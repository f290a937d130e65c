/** Dashboard of manifests/monitoring. */
import dashboard from "../../../manifests/monitoring/dashboard.json";

/** Panel of the dashboard with its PromQL expressions. */
export interface Panel {
  readonly title: string;
  readonly expressions: readonly string[];
}

/** All panels, with Grafana's variables replaced: an interval, any node. */
export const PANELS: readonly Panel[] = dashboard.panels.map(({ title, targets }) => ({
  title,
  expressions: targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "5m").replaceAll("$node", ".*")),
}));
