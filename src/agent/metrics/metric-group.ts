import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Histogram from "prom-client/lib/histogram.js";
import type Registry from "prom-client/lib/registry.js";

/** Metrics that are registered together. */
export abstract class MetricGroup {
  /** Registry that all metrics of the agent are in. */
  protected readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  /** Adds a counter. */
  protected counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  /** Adds a gauge. */
  protected gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  /** Adds a histogram. */
  protected histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}
