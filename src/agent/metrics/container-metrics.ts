import { MetricGroup } from "./metric-group.ts";
import { CONTAINER_STATES, type ContainerView } from "./view.ts";

const LABELS = ["namespace", "pod", "container"];

/** Metrics of each container, and the number of containers by state. */
export class ContainerMetrics extends MetricGroup {
  readonly #limit = this.gauge(
    "wasp_container_swap_limit_bytes",
    "Swap limit in force: the lowest of the container's cgroup and all cgroups above it, +Inf for none.",
    LABELS,
  );
  readonly #entitlement = this.gauge(
    "wasp_container_swap_entitlement_bytes",
    "Swap limit that the container is entitled to, +Inf for none.",
    LABELS,
  );
  readonly #usage = this.gauge("wasp_container_swap_usage_bytes", "Swap usage of the container.", LABELS);
  readonly #decision = this.gauge(
    "wasp_container_swap_decision",
    "Always 1; the reason label is the reason for the container's swap limit.",
    [...LABELS, "reason"],
  );
  readonly #count = this.gauge(
    "wasp_containers",
    "Number of containers by the state of their swap limit at its last check.",
    ["state"],
  );

  /** Sets the metrics to these containers; removes those of all others. */
  show(containers: readonly ContainerView[]): void {
    for (const metric of [this.#limit, this.#entitlement, this.#usage, this.#decision, this.#count])
      metric.reset();
    for (const state of CONTAINER_STATES) this.#count.set({ state }, 0);
    for (const container of containers) this.#showOne(container);
  }

  #showOne(view: ContainerView): void {
    this.#count.inc({ state: view.state });
    const { namespace, pod, container } = view;
    // Without its names it would share a series with every other container without names.
    if (namespace === undefined || pod === undefined || container === undefined) return;
    const labels = { namespace, pod, container };
    if (view.effectiveBytes !== undefined) this.#limit.set(labels, view.effectiveBytes);
    if (view.entitledBytes !== undefined) this.#entitlement.set(labels, view.entitledBytes);
    if (view.swapUsageBytes !== undefined) this.#usage.set(labels, view.swapUsageBytes);
    this.#decision.set({ ...labels, reason: view.reason }, 1);
  }
}
