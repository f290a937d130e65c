import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Histogram from "prom-client/lib/histogram.js";
import Registry from "prom-client/lib/registry.js";
import type { NodeFigures } from "../../host/node-figures.ts";
import type { Event } from "../../log/events.ts";
import type { EvictionAnswer } from "../../policy/eviction/answer.ts";
import { ContainerMetrics } from "./container-metrics.ts";
import { NodeMetrics } from "./node-metrics.ts";
import { PressureMetrics } from "./pressure-metrics.ts";
import { addProcessMetrics } from "./process-metrics.ts";
import { ReachMetrics } from "./reach-metrics.ts";
import type { AgentView } from "./view.ts";

/** What can go wrong, in the log's own words. */
const ERROR_KINDS = [
  "swap-limit-failed",
  "node-swap-limit-failed",
  "swap-reach-failed",
  "kubelet-config-unknown",
  "pods-unknown",
  "pod-ignored",
  "node-unknown",
  "config-refused",
  "watch-failed",
] as const satisfies readonly Event[];

/** Whom the agent asks for the node's pods. */
const POD_SOURCES = ["kubelet", "api-server"] as const;

const REQUEST_OUTCOMES = ["success", "failure"] as const;

/** What can become of a changed configuration. */
const RELOAD_OUTCOMES = ["reloaded", "refused", "needs-restart"] as const;

/** Whether the limit that a container had at its start can be the hook's. */
const HOOK_SIGHTS = ["seen", "missing"] as const;

/** What becomes of a container of which the runtime tells, by the event that tells it. */
const SPEC_OUTCOMES = {
  "container-limits-set": "set",
  "container-limits-left": "left",
  "container-limits-changed": "changed",
  "container-limits-failed": "failed",
  "container-refused": "refused",
} as const satisfies Partial<Record<Event, string>>;

type Of<Words extends readonly string[]> = Words[number];

/** What the agent counts and measures, and what it shows of its node and containers at each scrape. */
export class AgentMetrics {
  readonly #view: AgentView;
  readonly #registry = new Registry();
  readonly #node = new NodeMetrics(this.#registry);
  readonly #containers = new ContainerMetrics(this.#registry);
  readonly #pressure = new PressureMetrics(this.#registry);
  readonly #reach = new ReachMetrics(this.#registry);

  readonly #writes = this.#counter("wasp_swap_limit_writes_total", "Swap limits that were written.");
  readonly #drifts = this.#counter(
    "wasp_swap_limit_drifts_total",
    "Swap limits that were right until somebody else changed them.",
  );
  readonly #contests = this.#counter(
    "wasp_swap_limit_contests_total",
    "Containers whose swap limit somebody else began to write again and again.",
  );
  readonly #markRestores = this.#counter(
    "wasp_node_mark_restores_total",
    "Times that the node's taint or condition was put back because somebody else had changed it.",
  );
  readonly #starts = this.#counter(
    "wasp_container_starts_total",
    "Containers that the hook gives swap and that came while wasp watched, by whether it can have run for them.",
    ["hook"],
  );
  /** How long a pass over the node's containers takes, in seconds. */
  readonly reconcileDuration = this.#histogram(
    "wasp_reconcile_duration_seconds",
    "How long a pass over the node's containers takes.",
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  );
  /** How long it takes to get the list of the node's pods, in seconds. */
  readonly podListDuration = this.#histogram(
    "wasp_pod_list_duration_seconds",
    "How long it takes to get the list of the node's pods.",
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );
  /** The time from a container's cgroup being seen to its exact limit being in force, in seconds. */
  readonly limitLatency = this.#histogram(
    "wasp_swap_limit_latency_seconds",
    "The time from a container's cgroup being seen to its exact swap limit being in force.",
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  );
  /** When the last pass over the node's containers ended, in seconds since the epoch. */
  readonly lastPass = this.#gauge(
    "wasp_last_pass_timestamp_seconds",
    "When the last pass over the node's containers ended, in seconds since the epoch; 0 before the first.",
  );
  readonly #stoodDown = this.#gauge(
    "wasp_stood_down",
    "1 while the kubelet limits swap itself and wasp writes nothing, otherwise 0.",
  );
  readonly #errors = this.#counter("wasp_errors_total", "What went wrong, by the log's word for it.", [
    "kind",
  ]);
  readonly #podLists = this.#counter(
    "wasp_pod_list_requests_total",
    "Requests for the list of the node's pods.",
    ["source", "outcome"],
  );
  readonly #reloads = this.#counter(
    "wasp_config_reloads_total",
    "Changed configurations, by what became of them.",
    ["outcome"],
  );

  readonly #specs = this.#counter(
    "wasp_nri_containers_total",
    "Containers of which the runtime told its plugin, by what became of the limits in their specs.",
    ["outcome"],
  );
  readonly #nriConnected = this.#gauge(
    "wasp_nri_connected",
    "1 while the agent is a plugin of the runtime that is told of containers, otherwise 0.",
  );

  constructor(view: AgentView, build: { readonly version: string; readonly commit: string }) {
    this.#view = view;
    this.#gauge("wasp_build_info", "Always 1; which wasp this is.", ["version", "commit"]).set(build, 1);
    addProcessMetrics(this.#registry);
    // A series that begins with its first event hides that event from rate().
    for (const kind of ERROR_KINDS) this.#errors.inc({ kind }, 0);
    for (const hook of HOOK_SIGHTS) this.#starts.inc({ hook }, 0);
    for (const outcome of Object.values(SPEC_OUTCOMES)) this.#specs.inc({ outcome }, 0);
    for (const outcome of RELOAD_OUTCOMES) this.#reloads.inc({ outcome }, 0);
    for (const source of POD_SOURCES)
      for (const outcome of REQUEST_OUTCOMES) this.#podLists.inc({ source, outcome }, 0);
  }

  /** What the answer to a scrape is, as an HTTP header tells it. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Counts an event of the log, after so many writes of limits. */
  count(event: Event, writes: number): void {
    this.#writes.inc(writes);
    if (event === "swap-limit-restored" || event === "node-swap-limit-restored") this.#drifts.inc();
    if (event === "swap-reach-restored") this.#reach.countRestore();
    if (event === "swap-limit-contested") this.#contests.inc();
    if (event === "node-mark-restored") this.#markRestores.inc();
    if (isOfSpec(event)) this.#specs.inc({ outcome: SPEC_OUTCOMES[event] });
    if (isError(event)) this.#errors.inc({ kind: event });
  }

  /** Counts an eviction that was decided, by its answer. */
  countEviction(answer: EvictionAnswer): void {
    this.#pressure.count(answer);
  }

  /** Counts a container that the hook gives swap, by whether the limit that it came with can be the hook's. */
  countStart(isHookSeen: boolean): void {
    const hook: Of<typeof HOOK_SIGHTS> = isHookSeen ? "seen" : "missing";
    this.#starts.inc({ hook });
  }

  /** Counts a request for the list of the node's pods. */
  countPodList(source: Of<typeof POD_SOURCES>, outcome: Of<typeof REQUEST_OUTCOMES>): void {
    this.#podLists.inc({ source, outcome });
  }

  /** Counts a changed configuration. */
  countReload(outcome: Of<typeof RELOAD_OUTCOMES>): void {
    this.#reloads.inc({ outcome });
  }

  /** All metrics as of now, in Prometheus's text format; the node's are left out when they cannot be read. */
  scrape(): Promise<string> {
    this.#containers.show(this.#view.containers());
    this.#node.show(this.#readNode());
    this.#pressure.show(this.#view.signals(), this.#view.thresholds());
    this.#reach.show(this.#view.reach());
    this.#nriConnected.set(this.#view.isNriConnected ? 1 : 0);
    this.#stoodDown.set(this.#view.isStoodDown ? 1 : 0);
    return this.#registry.metrics();
  }

  #readNode(): NodeFigures | undefined {
    try {
      return this.#view.node();
    } catch {
      this.count("node-unknown", 0);
      return undefined;
    }
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.#registry] });
  }
}

function isError(event: Event): event is Of<typeof ERROR_KINDS> {
  return (ERROR_KINDS as readonly Event[]).includes(event);
}

function isOfSpec(event: Event): event is keyof typeof SPEC_OUTCOMES {
  return Object.hasOwn(SPEC_OUTCOMES, event);
}
