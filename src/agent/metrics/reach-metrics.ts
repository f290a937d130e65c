import type { ReachDecision } from "../../policy/reach/memory-high.ts";
import { MetricGroup } from "./metric-group.ts";

/** Metrics of memory.high of kubepods, which keeps swap within the pods' reach. */
export class ReachMetrics extends MetricGroup {
  readonly #memoryHigh = this.gauge(
    "wasp_kubepods_memory_high_bytes",
    "Value that wasp wants for memory.high of kubepods, +Inf for none; absent while it decides none.",
  );
  readonly #reasons = this.gauge(
    "wasp_swap_reach_info",
    "Always 1; the reason label is the reason for memory.high of kubepods; absent while wasp decides none.",
    ["reason"],
  );
  readonly #restores = this.counter(
    "wasp_swap_reach_restores_total",
    "Times that memory.high of kubepods was restored after another process had changed it.",
  );

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
