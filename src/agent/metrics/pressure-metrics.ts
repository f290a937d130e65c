import type Gauge from "prom-client/lib/gauge.js";
import type Registry from "prom-client/lib/registry.js";
import type { EvictionAnswer } from "../../policy/eviction/answer.ts";
import type { EvictionHoldReason } from "../../policy/eviction/decide.ts";
import { type Observation, SIGNALS, type SignalUnit, unitOf } from "../../policy/eviction/signals.ts";
import { MetricGroup } from "./metric-group.ts";

const ANSWERS = [
  "accepted",
  "evacuating",
  "blocked",
  "never",
  "gone",
  "failed",
  "dry-run",
] as const satisfies readonly EvictionAnswer[];

// A node that is left alone has no reason to show.
const UNSHOWN_REASONS: readonly (EvictionHoldReason | undefined)[] = ["not-pressed", "mode-off"];

/** Metrics of the pressure signals, the thresholds and the evictions. */
export class PressureMetrics extends MetricGroup {
  readonly #signals: Readonly<Record<SignalUnit, Gauge>> = {
    fraction: this.gauge(
      "wasp_signal_ratio",
      "Value of a pressure signal, as a ratio; some signals may exceed 1.",
      ["signal"],
    ),
    "pages a second": this.gauge(
      "wasp_signal_pages_per_second",
      "Value of a pressure signal, in pages per second.",
      ["signal"],
    ),
    bytes: this.gauge("wasp_signal_bytes", "Value of a pressure signal, in bytes.", ["signal"]),
  };
  readonly #thresholds = this.gauge(
    "wasp_threshold_crossed",
    "1 while an eviction threshold is crossed, otherwise 0.",
    ["threshold"],
  );
  readonly #held = this.gauge(
    "wasp_eviction_held",
    "Always 1; the reason label is the reason for which no pod is evicted now; absent without pressure.",
    ["reason"],
  );
  readonly #evictions = this.counter(
    "wasp_evictions_total",
    "Evictions that were decided, by the API server's answer; dry-run where it was not asked.",
    ["answer"],
  );

  constructor(registry: Registry) {
    super(registry);
    for (const answer of ANSWERS) this.#evictions.inc({ answer }, 0);
  }

  /** Counts a decided eviction. */
  count(answer: EvictionAnswer): void {
    this.#evictions.inc({ answer });
  }

  /** Sets the metrics to the current signals, thresholds and hold reason; leaves out signals without a value. */
  show(
    observation: Observation | undefined,
    thresholds: Readonly<Record<string, boolean>>,
    holdReason: EvictionHoldReason | undefined,
  ): void {
    for (const gauge of Object.values(this.#signals)) gauge.reset();
    this.#thresholds.reset();
    for (const signal of SIGNALS) {
      const figure = observation?.[signal];
      if (figure !== undefined) this.#signals[unitOf(signal)].set({ signal }, figure);
    }
    for (const [threshold, isCrossed] of Object.entries(thresholds))
      this.#thresholds.set({ threshold }, isCrossed ? 1 : 0);
    this.#held.reset();
    if (holdReason !== undefined && !UNSHOWN_REASONS.includes(holdReason))
      this.#held.set({ reason: holdReason }, 1);
  }
}
