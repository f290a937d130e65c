import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import type Registry from "prom-client/lib/registry.js";
import type { ReachDecision } from "../../policy/reach/memory-high.ts";

/** The metrics of how swap is kept within the pods' reach. */
export class ReachMetrics {
  readonly #memoryHigh: Gauge;
  readonly #reasons: Gauge;
  readonly #restores: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#memoryHigh = new Gauge({
      name: "wasp_kubepods_memory_high_bytes",
      help: "What memory.high of kubepods is to be, +Inf for none; absent while nobody decides.",
      registers,
    });
    this.#reasons = new Gauge({
      name: "wasp_swap_reach_info",
      help: "Always 1; why memory.high of kubepods is what it is; absent while nobody decides.",
      labelNames: ["reason"],
      registers,
    });
    this.#restores = new Counter({
      name: "wasp_swap_reach_restores_total",
      help: "How often somebody else had changed memory.high of kubepods, and it was put back.",
      registers,
    });
  }

  /** Counts a change by somebody else that was undone. */
  countRestore(): void {
    this.#restores.inc();
  }

  /** Takes over what was decided last. */
  show(decision: ReachDecision | undefined): void {
    this.#memoryHigh.remove();
    if (decision !== undefined) this.#memoryHigh.set(decision.memoryHighBytes);
    this.#reasons.reset();
    if (decision !== undefined) this.#reasons.set({ reason: decision.reason }, 1);
  }
}
