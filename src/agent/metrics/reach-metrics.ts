import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import type Registry from "prom-client/lib/registry.js";
import type { ReachDecision } from "../../policy/reach/memory-high.ts";

/** Metrics of memory.high of kubepods, which keeps swap within the pods' reach. */
export class ReachMetrics {
  readonly #memoryHigh: Gauge;
  readonly #reasons: Gauge;
  readonly #restores: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#memoryHigh = new Gauge({
      name: "wasp_kubepods_memory_high_bytes",
      help: "Value that wasp wants for memory.high of kubepods, +Inf for none; absent while it decides none.",
      registers,
    });
    this.#reasons = new Gauge({
      name: "wasp_swap_reach_info",
      help: "Always 1; the reason label is the reason for memory.high of kubepods; absent while wasp decides none.",
      labelNames: ["reason"],
      registers,
    });
    this.#restores = new Counter({
      name: "wasp_swap_reach_restores_total",
      help: "Times that memory.high of kubepods was restored after another process had changed it.",
      registers,
    });
  }

  /** Counts a restored change of another process. */
  countRestore(): void {
    this.#restores.inc();
  }

  /** Sets the metrics to the last decision. */
  show(decision: ReachDecision | undefined): void {
    this.#memoryHigh.remove();
    if (decision !== undefined) this.#memoryHigh.set(decision.memoryHighBytes);
    this.#reasons.reset();
    if (decision !== undefined) this.#reasons.set({ reason: decision.reason }, 1);
  }
}
