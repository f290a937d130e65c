import type { AgentConfig } from "../../config/agent/knobs.ts";
import { NRI_INDEX } from "../../config/nri/plugin-knobs.ts";
import type { LogEvent } from "../../log/events.ts";
import type { NriPod } from "../../nri/handlers.ts";
import { LimitHandlers } from "../../nri/limit-handlers.ts";
import { NriPlugin } from "../../nri/plugin.ts";
import type { NodeCapacity } from "../../policy/limits/container.ts";
import { containerOfPod } from "../../policy/limits/container-of-pod.ts";
import type { PodIndex } from "../../policy/limits/reconcile.ts";
import { decideNriLimits, type NriLimits, type NriLimitsContainer } from "../../policy/limits/spec-limits.ts";
import { waitForPluginLock } from "./plugin-lock.ts";
import { NriReporter } from "./reporter.ts";
import { limitsForKernel } from "./spec-limits.ts";

/** Name of the agent's plugin; it differs from that of `wasp nri`, so that the runtime's log distinguishes them. */
const NAME = "wasp";

/** Inputs of the agent's limit decisions. */
export interface RuntimePluginOptions {
  readonly config: () => AgentConfig;
  /** Returns the node's pods; undefined before they are known. */
  readonly pods: () => PodIndex | undefined;
  readonly node: () => NodeCapacity;
  /** Returns true while the kubelet limits swap itself. */
  readonly isStoodDown: () => boolean;
  readonly log: LogEvent;
}

const NO_LIMITS: NriLimits = {
  unified: {},
  className: undefined,
  swapReason: undefined,
  ignoredOverride: undefined,
  problems: [],
};

/**
 * The agent as a plugin of the runtime: puts limits into containers' specs. They are exact from the first instruction if
 * the pod is known, and later updates by the runtime keep them.
 */
export class RuntimePlugin {
  readonly #options: RuntimePluginOptions;
  readonly #reporter: NriReporter;
  readonly #handlers: LimitHandlers;
  readonly #forKernel: (limits: NriLimits) => NriLimits;
  readonly #stopping = new AbortController();
  #plugin: NriPlugin | undefined;
  #running: Promise<void> | undefined;

  /** Throws an Error if the node has no cgroup v2. */
  constructor(options: RuntimePluginOptions) {
    const { config, log } = options;
    this.#options = options;
    this.#reporter = new NriReporter(log);
    this.#forKernel = limitsForKernel(config().fsroot, log);
    this.#handlers = new LimitHandlers({
      decide: (pod, container) => (config().dryRun ? NO_LIMITS : this.#decide(pod, container)),
      decideUpdate: (pod, container) => (this.#isHolding(pod) ? undefined : this.#decide(pod, container)),
      isRefusing: () => config().memoryQosOnError === "Refuse",
      // The agent has its own configuration.
      configure: () => {},
      onMissed: () => this.refresh(),
      log: this.#reporter.log,
    });
  }

  /** Connects to the runtime once no other wasp of the node is its plugin; does nothing if already started. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** True while the runtime reports its containers. */
  get isConnected(): boolean {
    return this.#handlers.isConnected;
  }

  /** Returns true if wasp put limits into a container's spec. */
  hasGiven(containerId: string): boolean {
    return this.#handlers.hasGiven(containerId);
  }

  /** Updates the limits of the running containers, after pods or the configuration have changed. */
  refresh(): void {
    const plugin = this.#plugin;
    if (plugin !== undefined) void this.#handlers.refresh((updates) => plugin.updateContainers(updates));
  }

  /** Ends the connection; the limits in containers' specs stay. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#plugin?.stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { config } = this.#options;
    const { fsroot, nriSocket: socket } = config();
    using lock = await waitForPluginLock(fsroot, this.#reporter.log, this.#stopping.signal);
    if (lock === undefined) return;
    this.#plugin = new NriPlugin({
      ...{ name: NAME, index: NRI_INDEX, socket, handlers: this.#handlers },
      isExitedOnDisconnect: false,
      report: this.#reporter.logConnection,
    });
    await this.#plugin.ended;
  }

  /** Returns true if a running container's limits must not change, because wasp may not write or its pod is unknown. */
  #isHolding({ uid }: NriPod): boolean {
    const { config, pods, isStoodDown } = this.#options;
    return config().dryRun || isStoodDown() || pods()?.get(uid)?.qosClass === undefined;
  }

  #decide(pod: NriPod, container: NriLimitsContainer): NriLimits {
    const { config, pods, node, isStoodDown } = this.#options;
    const { memoryQos, nodeSwapLimitBytes, ...swapLimit } = config();
    const known = pods()?.get(pod.uid);
    const spec = known?.containers.find(({ name }) => name === container.name);
    const exact = known && spec && containerOfPod(known, spec);
    const sharing = { node: isStoodDown() ? undefined : node(), config: swapLimit, exact };
    // The runtime reports annotations as they were at the pod's start.
    const current = known === undefined ? pod : { ...pod, annotations: known.annotations };
    return this.#forKernel(decideNriLimits(current, container, memoryQos, sharing, nodeSwapLimitBytes));
  }
}
