import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import type Registry from "prom-client/lib/registry.js";

const MICROSECONDS_PER_SECOND = 1e6;

/** Adds the process metrics that Prometheus expects of every target; most of prom-client's own are empty under Bun. */
export function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time of the process in user and kernel mode.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / MICROSECONDS_PER_SECOND);
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "Start time of the process, in seconds since the epoch.",
    registers,
  }).set(performance.timeOrigin / 1000);
}
