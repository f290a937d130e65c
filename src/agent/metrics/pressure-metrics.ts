import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import type Registry from "prom-client/lib/registry.js";
import type { EvictionAnswer } from "../../policy/eviction/answer.ts";
import {
  type Observation,
  SIGNALS,
  type Signal,
  type SignalUnit,
  unitOf,
} from "../../policy/eviction/signals.ts";

const ANSWERS = [
  "accepted",
  "evacuating",
  "blocked",
  "never",
  "gone",
  "failed",
  "dry-run",
] as const satisfies readonly EvictionAnswer[];

/** Metrics of the pressure signals, the thresholds and the evictions. */
export class PressureMetrics {
  readonly #signals: Readonly<Record<SignalUnit, Gauge>>;
  readonly #thresholds: Gauge;
  readonly #evictions: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    const gauge = (unit: string, help: string) =>
      new Gauge({ name: `wasp_signal_${unit}`, help, labelNames: ["signal"], registers });
    this.#signals = {
      fraction: gauge("ratio", "Value of a pressure signal, as a ratio; some signals may exceed 1."),
      "pages a second": gauge("pages_per_second", "Value of a pressure signal, in pages per second."),
      bytes: gauge("bytes", "Value of a pressure signal, in bytes."),
    };
    this.#thresholds = new Gauge({
      name: "wasp_threshold_crossed",
      help: "1 while an eviction threshold is crossed, otherwise 0.",
      labelNames: ["threshold"],
      registers,
    });
    this.#evictions = new Counter({
      name: "wasp_evictions_total",
      help: "Evictions that were decided, by the API server's answer; dry-run where it was not asked.",
      labelNames: ["answer"],
      registers,
    });
    for (const answer of ANSWERS) this.#evictions.inc({ answer }, 0);
  }

  /** Counts a decided eviction. */
  count(answer: EvictionAnswer): void {
    this.#evictions.inc({ answer });
  }

  /** Sets the metrics to the current signals and thresholds; leaves out signals without a value. */
  show(observation: Observation | undefined, thresholds: Readonly<Record<string, boolean>>): void {
    for (const gauge of Object.values(this.#signals)) gauge.reset();
    this.#thresholds.reset();
    for (const signal of SIGNALS) this.#showSignal(signal, observation?.[signal]);
    for (const [threshold, isCrossed] of Object.entries(thresholds))
      this.#thresholds.set({ threshold }, isCrossed ? 1 : 0);
  }

  #showSignal(signal: Signal, figure: number | undefined): void {
    if (figure !== undefined) this.#signals[unitOf(signal)].set({ signal }, figure);
  }
}
