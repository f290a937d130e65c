import Registry from "prom-client/lib/registry.js";
import type { NodeFigures } from "../../host/node-figures.ts";
import type { Event } from "../../log/events.ts";
import type { EvictionAnswer } from "../../policy/eviction/answer.ts";
import { ContainerMetrics } from "./container-metrics.ts";
import { MetricGroup } from "./metric-group.ts";
import { NodeMetrics } from "./node-metrics.ts";
import { PressureMetrics } from "./pressure-metrics.ts";
import { addProcessMetrics } from "./process-metrics.ts";
import { ReachMetrics } from "./reach-metrics.ts";
import type { AgentView } from "./view.ts";

/** Events that are counted as errors. */
const ERROR_KINDS = [
  "swap-limit-failed",
  "node-swap-limit-failed",
  "hook-notice-failed",
  "swap-reach-failed",
  "kubelet-config-unknown",
  "pods-unknown",
  "pod-ignored",
  "node-unknown",
  "config-refused",
  "watch-failed",
] as const satisfies readonly Event[];

/** Servers that the agent gets the node's pods from. */
const POD_SOURCES = ["kubelet", "api-server"] as const;

const REQUEST_OUTCOMES = ["success", "failure"] as const;

/** Outcomes of a changed configuration. */
const RELOAD_OUTCOMES = ["reloaded", "refused", "needs-restart"] as const;

/** Values of the label `hook`: a container came with a limit that the hook may have written, or cannot have. */
const HOOK_SIGHTS = ["seen", "missing"] as const;

/** Outcomes for a container that the runtime reports, by their events. */
const SPEC_OUTCOMES = {
  "container-limits-set": "set",
  "container-limits-left": "left",
  "container-limits-changed": "changed",
  "container-limits-failed": "failed",
  "container-refused": "refused",
} as const satisfies Partial<Record<Event, string>>;

/** The agent's metrics: counters of its events, and gauges of its state that are set at each scrape. */
export class AgentMetrics extends MetricGroup {
  readonly #node = new NodeMetrics(this.registry);
  readonly #containers = new ContainerMetrics(this.registry);
  readonly #pressure = new PressureMetrics(this.registry);
  readonly #reach = new ReachMetrics(this.registry);

  readonly #writes = this.counter("wasp_swap_limit_writes_total", "Swap limits that were written.");
  readonly #drifts = this.counter(
    "wasp_swap_limit_drifts_total",
    "Swap limits that were right until another process changed them.",
  );
  readonly #contests = this.counter(
    "wasp_swap_limit_contests_total",
    "Containers whose swap limit another process began to write repeatedly.",
  );
  readonly #markRestores = this.counter(
    "wasp_node_mark_restores_total",
    "Times that the node's taint or condition was restored after another client had changed it.",
  );
  readonly #starts = this.counter(
    "wasp_container_starts_total",
    "Containers entitled to swap that started under the agent, by whether the hook can have run for them.",
    ["hook"],
  );
  /** Duration of a pass over the node's containers, in seconds. */
  readonly reconcileDuration = this.histogram(
    "wasp_reconcile_duration_seconds",
    "Duration of a pass over the node's containers.",
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  );
  /** Duration of a request for the node's pods, in seconds. */
  readonly podListDuration = this.histogram(
    "wasp_pod_list_duration_seconds",
    "Duration of a request for the list of the node's pods.",
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );
  /** Time from the appearance of a container's cgroup to its exact limit in force, in seconds. */
  readonly limitLatency = this.histogram(
    "wasp_swap_limit_latency_seconds",
    "Time from the appearance of a container's cgroup to its exact swap limit in force.",
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  );
  /** End of the last pass over the node's containers, in seconds since the epoch. */
  readonly lastPass = this.gauge(
    "wasp_last_pass_timestamp_seconds",
    "End of the last pass over the node's containers, in seconds since the epoch; 0 before the first.",
  );
  readonly #stoodDown = this.gauge(
    "wasp_stood_down",
    "1 while the kubelet limits swap itself and wasp writes no swap limit, otherwise 0.",
  );
  readonly #errors = this.counter("wasp_errors_total", "Errors, by their event in the log.", ["kind"]);
  readonly #podLists = this.counter(
    "wasp_pod_list_requests_total",
    "Requests for the list of the node's pods.",
    ["source", "outcome"],
  );
  readonly #reloads = this.counter("wasp_config_reloads_total", "Changed configurations, by outcome.", [
    "outcome",
  ]);

  readonly #specs = this.counter(
    "wasp_nri_containers_total",
    "Containers that the runtime reported to its plugin, by what happened to the limits in their specs.",
    ["outcome"],
  );
  readonly #nriConnected = this.gauge(
    "wasp_nri_connected",
    "1 while the agent is connected to the runtime as its plugin, otherwise 0.",
  );

  constructor(build: { readonly version: string; readonly commit: string }) {
    super(new Registry());
    this.gauge("wasp_build_info", "Always 1; version and commit of this wasp.", ["version", "commit"]).set(
      build,
      1,
    );
    addProcessMetrics(this.registry);
    // rate() does not see the first event of a series that begins with it.
    for (const kind of ERROR_KINDS) this.#errors.inc({ kind }, 0);
    for (const hook of HOOK_SIGHTS) this.#starts.inc({ hook }, 0);
    for (const outcome of Object.values(SPEC_OUTCOMES)) this.#specs.inc({ outcome }, 0);
    for (const outcome of RELOAD_OUTCOMES) this.#reloads.inc({ outcome }, 0);
    for (const source of POD_SOURCES)
      for (const outcome of REQUEST_OUTCOMES) this.#podLists.inc({ source, outcome }, 0);
  }

  /** Content type of a scrape's response. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Counts an event of the log, and the limits that were written for it. */
  count(event: Event, writes: number): void {
    this.#writes.inc(writes);
    if (event === "swap-limit-restored" || event === "node-swap-limit-restored") this.#drifts.inc();
    if (event === "swap-reach-restored") this.#reach.countRestore();
    if (event === "swap-limit-contested") this.#contests.inc();
    if (event === "node-mark-restored") this.#markRestores.inc();
    if (isOfSpec(event)) this.#specs.inc({ outcome: SPEC_OUTCOMES[event] });
    if (isError(event)) this.#errors.inc({ kind: event });
  }

  /** Counts a decided eviction by its answer. */
  countEviction(answer: EvictionAnswer): void {
    this.#pressure.count(answer);
  }

  /** Counts a new container that is entitled to swap; `isHookSeen` if its first limit can be the hook's. */
  countStart(isHookSeen: boolean): void {
    const hook: (typeof HOOK_SIGHTS)[number] = isHookSeen ? "seen" : "missing";
    this.#starts.inc({ hook });
  }

  /** Counts a request for the node's pods. */
  countPodList(source: (typeof POD_SOURCES)[number], outcome: (typeof REQUEST_OUTCOMES)[number]): void {
    this.#podLists.inc({ source, outcome });
  }

  /** Counts a changed configuration. */
  countReload(outcome: (typeof RELOAD_OUTCOMES)[number]): void {
    this.#reloads.inc({ outcome });
  }

  /** Returns all metrics in Prometheus's text format; leaves out those of the node if they cannot be read. */
  scrape(view: AgentView): Promise<string> {
    this.#containers.show(view.containers());
    this.#node.show(this.#readNode(view));
    this.#pressure.show(view.signals(), view.thresholds(), view.holdReason());
    this.#reach.show(view.reach());
    this.#nriConnected.set(view.isNriConnected ? 1 : 0);
    this.#stoodDown.set(view.isStoodDown ? 1 : 0);
    return this.registry.metrics();
  }

  #readNode(view: AgentView): NodeFigures | undefined {
    try {
      return view.node();
    } catch {
      this.count("node-unknown", 0);
      return undefined;
    }
  }
}

function isError(event: Event): event is (typeof ERROR_KINDS)[number] {
  return (ERROR_KINDS as readonly Event[]).includes(event);
}

function isOfSpec(event: Event): event is keyof typeof SPEC_OUTCOMES {
  return Object.hasOwn(SPEC_OUTCOMES, event);
}
