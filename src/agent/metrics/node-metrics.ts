import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import type Registry from "prom-client/lib/registry.js";
import type { NodeFigures } from "../../host/node-figures.ts";
import type { Pressure, Stall } from "../../policy/eviction/snapshot.ts";

const MICROSECONDS_PER_SECOND = 1e6;
const PERCENT_PER_RATIO = 100;

/** Metrics of the node's memory, swap and pressure. */
export class NodeMetrics {
  readonly #memory: Gauge;
  readonly #swap: Gauge;
  readonly #swapUsed: Gauge;
  readonly #swapIn: Counter;
  readonly #swapOut: Counter;
  readonly #stallSeconds: Counter;
  readonly #stallRatio: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    const stallLabels = ["scope", "resource", "kind"];
    this.#memory = new Gauge({
      name: "wasp_node_memory_bytes",
      help: "Memory of the node.",
      registers,
    });
    this.#swap = new Gauge({
      name: "wasp_node_swap_bytes",
      help: "Swap of the node.",
      registers,
    });
    this.#swapUsed = new Gauge({
      name: "wasp_node_swap_used_bytes",
      help: "Used swap of the node.",
      registers,
    });
    this.#swapIn = new Counter({
      name: "wasp_node_swap_in_bytes_total",
      help: "Bytes swapped in since the node's start.",
      registers,
    });
    this.#swapOut = new Counter({
      name: "wasp_node_swap_out_bytes_total",
      help: "Bytes swapped out since the node's start.",
      registers,
    });
    this.#stallSeconds = new Counter({
      name: "wasp_pressure_stall_seconds_total",
      help: "Time in which some or all (full) tasks of the node or of its pods were stalled on a resource.",
      labelNames: stallLabels,
      registers,
    });
    this.#stallRatio = new Gauge({
      name: "wasp_pressure_stall_ratio",
      help: "Fraction of the window in which some or all (full) tasks were stalled, from 0 to 1.",
      labelNames: [...stallLabels, "window"],
      registers,
    });
  }

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
