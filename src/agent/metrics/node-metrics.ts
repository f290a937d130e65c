import type { NodeFigures } from "../../host/node-figures.ts";
import type { Pressure, Stall } from "../../policy/eviction/snapshot.ts";
import { MetricGroup } from "./metric-group.ts";

const MICROSECONDS_PER_SECOND = 1e6;
const PERCENT_PER_RATIO = 100;
const STALL_LABELS = ["scope", "resource", "kind"];

/** Metrics of the node's memory, swap and pressure. */
export class NodeMetrics extends MetricGroup {
  readonly #memory = this.gauge("wasp_node_memory_bytes", "Memory of the node.");
  readonly #swap = this.gauge("wasp_node_swap_bytes", "Swap of the node.");
  readonly #swapUsed = this.gauge("wasp_node_swap_used_bytes", "Used swap of the node.");
  readonly #swapIn = this.counter(
    "wasp_node_swap_in_bytes_total",
    "Bytes swapped in since the node's start.",
  );
  readonly #swapOut = this.counter(
    "wasp_node_swap_out_bytes_total",
    "Bytes swapped out since the node's start.",
  );
  readonly #stallSeconds = this.counter(
    "wasp_pressure_stall_seconds_total",
    "Time in which some or all (full) tasks of the node or of its pods were stalled on a resource.",
    STALL_LABELS,
  );
  readonly #stallRatio = this.gauge(
    "wasp_pressure_stall_ratio",
    "Fraction of the window in which some or all (full) tasks were stalled, from 0 to 1.",
    [...STALL_LABELS, "window"],
  );

  /** Sets the metrics to the node's figures; removes them if the figures are undefined. */
  show(node: NodeFigures | undefined): void {
    // reset() would leave zeros behind.
    for (const metric of [this.#memory, this.#swap, this.#swapUsed, this.#swapIn, this.#swapOut])
      metric.remove();
    this.#stallSeconds.reset();
    this.#stallRatio.reset();
    if (node === undefined) return;

    this.#memory.set(node.memoryTotalBytes);
    this.#swap.set(node.swapTotalBytes);
    // Swap may be turned off between two lines of /proc/meminfo.
    this.#swapUsed.set(Math.max(0, node.swapTotalBytes - node.swapFreeBytes));
    this.#swapIn.inc(node.swapInBytes);
    this.#swapOut.inc(node.swapOutBytes);
    this.#showPressure("node", node.memoryPressure);
    this.#showPressure("kubepods", node.kubepodsMemoryPressure);
  }

  #showPressure(scope: "node" | "kubepods", pressure: Pressure | undefined): void {
    if (pressure === undefined) return;
    this.#showStall({ scope, resource: "memory", kind: "some" }, pressure.some);
    if (pressure.full !== undefined)
      this.#showStall({ scope, resource: "memory", kind: "full" }, pressure.full);
  }

  #showStall(labels: Readonly<Record<string, string>>, stall: Stall): void {
    this.#stallSeconds.inc(labels, stall.totalMicroseconds / MICROSECONDS_PER_SECOND);
    this.#stallRatio.set({ ...labels, window: "10s" }, stall.avg10Percent / PERCENT_PER_RATIO);
    this.#stallRatio.set({ ...labels, window: "60s" }, stall.avg60Percent / PERCENT_PER_RATIO);
    this.#stallRatio.set({ ...labels, window: "300s" }, stall.avg300Percent / PERCENT_PER_RATIO);
  }
}
