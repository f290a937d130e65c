import type { AgentConfig } from "../../config/agent/knobs.ts";
import { NRI_INDEX } from "../../config/nri/plugin-knobs.ts";
import type { Tell } from "../../log/events.ts";
import type { NriPod } from "../../nri/handlers.ts";
import { LimitHandlers } from "../../nri/limit-handlers.ts";
import { type NriPlugin, startPlugin } from "../../nri/plugin.ts";
import type { NodeCapacity } from "../../policy/limits/container.ts";
import { containerOfPod } from "../../policy/limits/container-of-pod.ts";
import type { PodIndex } from "../../policy/limits/reconcile.ts";
import { decideNriLimits, type NriLimits, type NriLimitsContainer } from "../../policy/limits/spec-limits.ts";
import { NriReporter } from "./reporter.ts";
import { limitsForKernel } from "./spec-limits.ts";
import { takeNriTurn } from "./turn.ts";

/** What the runtime calls the agent: another name than that of wasp nri, so that its log tells them apart. */
const NAME = "wasp";

/** What the agent knows that limits are decided by. */
export interface RuntimePluginOptions {
  readonly config: () => AgentConfig;
  /** Undefined before the node's pods are known. */
  readonly pods: () => PodIndex | undefined;
  readonly node: () => NodeCapacity;
  /** Whether the kubelet limits swap itself. */
  readonly isStoodDown: () => boolean;
  readonly tell: Tell;
}

const NOTHING: NriLimits = {
  unified: {},
  className: undefined,
  swapReason: undefined,
  ignoredOverride: undefined,
  problems: [],
};

/**
 * The agent as a plugin of the runtime: containers have their limits in their own specs, exact from the first instruction
 * on where their pods are known, and whatever the runtime does to a container later has them too.
 */
export class RuntimePlugin {
  readonly #options: RuntimePluginOptions;
  readonly #reporter: NriReporter;
  readonly #handlers: LimitHandlers;
  readonly #forKernel: (limits: NriLimits) => NriLimits;
  readonly #stopping = new AbortController();
  #plugin: NriPlugin | undefined;
  #work: Promise<void> | undefined;

  /** Throws an Error where the node has no cgroup v2. */
  constructor(options: RuntimePluginOptions) {
    const { config, tell } = options;
    this.#options = options;
    this.#reporter = new NriReporter(tell);
    this.#forKernel = limitsForKernel(config().fsroot, tell);
    this.#handlers = new LimitHandlers({
      decide: (pod, container) => (config().dryRun ? NOTHING : this.#decide(pod, container)),
      decideAnew: (pod, container) => (this.#isHolding(pod) ? undefined : this.#decide(pod, container)),
      isRefusing: () => config().memoryQosOnError === "Refuse",
      // The agent has its own.
      configure: () => {},
      missed: () => this.refresh(),
      tell: this.#reporter.tell,
    });
  }

  /** Connects to the runtime once no other wasp of the node does, until it is stopped; more than once is as once. */
  start(): void {
    this.#work ??= this.#run();
  }

  /** Whether the runtime tells of its containers. */
  get isConnected(): boolean {
    return this.#handlers.isConnected;
  }

  /** Whether a container has limits in its spec that wasp put there. */
  hasGiven(containerId: string): boolean {
    return this.#handlers.hasGiven(containerId);
  }

  /** Gives the containers that run what they are to have now, after pods or the configuration have changed. */
  refresh(): void {
    const plugin = this.#plugin;
    if (plugin !== undefined) void this.#handlers.refresh((updates) => plugin.updateContainers(updates));
  }

  /** Ends the connection; what containers have in their specs stays. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#plugin?.stop();
    await this.#work;
  }

  async #run(): Promise<void> {
    const { config } = this.#options;
    const { fsroot, nriSocket: socket } = config();
    using turn = await takeNriTurn(fsroot, this.#reporter.tell, this.#stopping.signal);
    if (turn === undefined) return;
    this.#plugin = startPlugin({
      ...{ name: NAME, index: NRI_INDEX, socket, handlers: this.#handlers },
      isExitedOnDisconnect: false,
      report: this.#reporter.connection,
    });
    await this.#plugin.ended;
  }

  /** Whether what a running container has is not to be touched: what is not known is not guessed. */
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
    const sharing = isStoodDown()
      ? undefined
      : { node: node(), config: swapLimit, exact, nodeSwapLimitBytes };
    // The runtime tells of annotations as they were when the pod came.
    const told = known === undefined ? pod : { ...pod, annotations: known.annotations };
    return this.#forKernel(decideNriLimits(told, container, memoryQos, sharing));
  }
}
