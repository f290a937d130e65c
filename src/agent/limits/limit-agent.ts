import type { PodList } from "../../cluster/pod-list.ts";
import { ClockSteps } from "../../host/clock-steps.ts";
import type { Kubepods, KubepodsContainer } from "../../host/kubepods.ts";
import { readNodeCapacity } from "../../host/meminfo.ts";
import { NodeContainers } from "../../host/node-containers.ts";
import { sampleContainer, sampleKubepods, sampleNode } from "../../host/snapshot.ts";
import type { Event, Fields } from "../../log/events.ts";
import type { Snapshot } from "../../policy/eviction/snapshot.ts";
import type { NodeCapacity } from "../../policy/limits/container.ts";
import { indexPods, type PodIndex } from "../../policy/limits/reconcile.ts";
import { type StandDownReason, standDownReason } from "../../policy/limits/stand-down.ts";
import type { ContainerView } from "../metrics/view.ts";
import type { Circumstances, LimitListener } from "./container-limit.ts";
import { LimitKeeper } from "./limit-keeper.ts";
import { KubepodsLimit } from "./node-swap-limit.ts";

/** The knobs that the agent's core goes by; they may change while it runs. */
export type CoreConfig = Circumstances["config"] & {
  readonly dryRun: boolean;
  readonly sweepSeconds: number;
};

/** Who is told what the agent does. */
export interface AgentListener {
  /** Something happened, after so many writes of files. */
  onEvent(event: Event, fields: Fields, writes: number): void;
  /** The exact limit of a container is in force, so long after its cgroup appeared. */
  onExact(latencySeconds: number): void;
  /** A container that the hook gives swap came, and its limit may be the hook's, or cannot be. */
  onStart(isHookSeen: boolean): void;
  /** All containers were looked at, which took so long. */
  onPass(durationSeconds: number): void;
  /** A container is there of which the last pods do not tell. */
  onUnknownContainer(): void;
}

/** What the agent is made of. */
export interface AgentOptions {
  readonly fsroot: string;
  readonly pageBytes: number;
  readonly config: CoreConfig;
  readonly listener: AgentListener;
  /** Whether a container started with the limit that wasp itself put into its spec. */
  readonly isLimitOfNri?: (containerId: string) => boolean;
  /** A clock that never jumps, in seconds. */
  readonly nowSeconds: () => number;
}

const TICK_MILLISECONDS = 1000;
/** How often at least to look for kubepods where there is none, or another: the kubelet has not run yet, or anew. */
const SEARCH_SECONDS = 5;
// After this long a container that no pod's status names is a pause container, or its pod is broken.
const UNKNOWN_SECONDS = 60;

/**
 * The core of `wasp agent`: it observes containers, pods, capacity and configuration, has `policy/` decide, and keeps
 * limits. It holds on what it does not know: nothing is written before pods have been told of.
 */
export class Agent implements Disposable {
  readonly #options: AgentOptions;
  readonly #listener: AgentListener;
  readonly #keeper: LimitKeeper;
  // By the cgroup, not its path: one that is made anew has no limit that could have been changed.
  readonly #kubepodsLimits = new WeakMap<Kubepods, KubepodsLimit>();
  readonly #clockSteps = new ClockSteps();
  #config: CoreConfig;
  #node: NodeCapacity;
  #pods: PodIndex | undefined;
  #kubeletSwapBehavior: string | undefined;
  #hasKubeletLimits = false;
  #standsDown: StandDownReason | undefined;
  #containers: NodeContainers | undefined;
  #isStarting = true;
  #timer: NodeJS.Timeout | undefined;
  #sweptSeconds: number;
  #tickedSeconds: number;
  #hasPassed = false;

  /** Throws where the node's memory cannot be read. */
  constructor(options: AgentOptions) {
    this.#options = options;
    this.#listener = options.listener;
    this.#config = options.config;
    this.#keeper = new LimitKeeper(this.#limitListener(), options.nowSeconds);
    this.#node = readNodeCapacity(options.fsroot);
    this.#sweptSeconds = options.nowSeconds();
    this.#tickedSeconds = this.#sweptSeconds;
  }

  /** Follows the node's containers from now on, until it is disposed of. */
  start(): void {
    this.#containers = new NodeContainers(this.#options.fsroot, {
      onContainer: (container) => this.#take(container),
      onGone: (containerId) => this.#keeper.leave(containerId),
      onLimitWritten: ({ containerId }) => this.#keeper.check(containerId),
      onSharedLimitWritten: () => this.#checkShared(),
      onError: (error) => this.#listener.onEvent("watch-failed", { error: error.message }, 0),
    });
    this.#isStarting = false;
    this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#containers?.close();
  }

  /** Takes the node's pods in, all of them. */
  setPods({ pods }: PodList): void {
    this.#pods = indexPods(pods);
    if (this.#hasPassed) this.#keeper.applyPods(this.#pods);
    else this.#pass();
  }

  /** Takes in what the kubelet says of its own swap behavior; undefined where it does not. */
  setKubeletSwapBehavior(swapBehavior: string | undefined): void {
    this.#kubeletSwapBehavior = swapBehavior;
    this.#reconsider();
  }

  /** Goes by another configuration from now on. */
  setConfig(config: CoreConfig): void {
    this.#config = config;
    this.#pass();
  }

  /** Whether every container was looked at once, knowing the node's pods. */
  get isReady(): boolean {
    return this.#hasPassed;
  }

  /** Whether the agent still does what it does each second, in the last so many of them. */
  isAliveWithin(seconds: number): boolean {
    return this.#options.nowSeconds() - this.#tickedSeconds <= seconds;
  }

  /** Why wasp writes no limits: the kubelet does; undefined where it does not. */
  get standsDown(): StandDownReason | undefined {
    return this.#standsDown;
  }

  /** The node's memory and swap, in bytes, as last read. */
  get node(): NodeCapacity {
    return this.#node;
  }

  /** Paths of the kubepods cgroups, with the hierarchy's mount point. */
  get kubepodsPaths(): string[] {
    return (this.#containers?.kubepods ?? []).map(({ mount, path }) => mount + path);
  }

  /** Whether a container that has just come is in the status of no pod that was told of. */
  get hasUnknownContainer(): boolean {
    return this.#keeper.hasUnknownSince(UNKNOWN_SECONDS);
  }

  /**
   * Looks at the node as it is now, with each container's figures or without; undefined before its pods are known, and
   * on cgroup v1. Throws an error that names the file that cannot be read.
   */
  look(withContainers: boolean): Snapshot | undefined {
    const [kubepods] = this.#containers?.kubepods ?? [];
    if (this.#pods === undefined || kubepods?.version === 1) return undefined;
    return {
      atSeconds: this.#options.nowSeconds(),
      pageBytes: this.#options.pageBytes,
      node: sampleNode(this.#options.fsroot),
      kubepods: kubepods && sampleKubepods(kubepods),
      containers: withContainers
        ? this.#keeper.kubepodsContainers().flatMap((container) => sampleContainer(container) ?? [])
        : [],
      // One may be found by two UIDs.
      pods: [...new Set(this.#pods.values())],
    };
  }

  /** The node's pods by the UIDs of their cgroups; undefined before they are known. */
  get pods(): PodIndex | undefined {
    return this.#pods;
  }

  /** Every container, as it was when it was last looked at. */
  containers(): ContainerView[] {
    return this.#keeper.views();
  }

  #limitListener(): LimitListener {
    return {
      onLimit: (event, fields, writes) => this.#listener.onEvent(event, fields, writes),
      onExact: (latencySeconds) => this.#listener.onExact(latencySeconds),
      onStart: (isHookSeen) => this.#listener.onStart(isHookSeen),
      onKubeletLimit: () => {
        this.#hasKubeletLimits = true;
        // Not in the midst of a look at all containers.
        queueMicrotask(() => this.#reconsider());
      },
    };
  }

  #take(container: KubepodsContainer): void {
    this.#keeper.take(container, !this.#isStarting);
    if (this.#keeper.isUnknown(container.containerId)) this.#listener.onUnknownContainer();
  }

  /** Lets the kubelet have its way with limits, or takes them up again, as it is now known to do. */
  #reconsider(): void {
    const before = this.#standsDown;
    this.#standsDown = standDownReason({
      swapBehavior: this.#kubeletSwapBehavior,
      hasLimitedContainer: this.#hasKubeletLimits,
    });
    if (this.#standsDown === before) return;
    if (this.#standsDown === undefined) this.#listener.onEvent("resumed", {}, 0);
    else this.#listener.onEvent("stood-down", { reason: this.#standsDown }, 0);
    this.#pass();
  }

  /** Looks at every container, knowing all that is known now; does nothing before pods are known. */
  #pass(): void {
    if (this.#pods === undefined || this.#containers === undefined) return;
    const started = this.#options.nowSeconds();
    const { pageBytes } = this.#options;
    this.#keepKubepodsLimits();
    this.#keeper.apply({
      pods: this.#pods,
      node: this.#node,
      pageBytes,
      config: this.#config,
      isLimitOfNri: this.#options.isLimitOfNri,
      mayWrite: this.#mayWrite,
    });
    this.#hasPassed = true;
    this.#listener.onPass(this.#options.nowSeconds() - started);
  }

  get #mayWrite(): boolean {
    return !this.#config.dryRun && this.#standsDown === undefined;
  }

  #checkShared(): void {
    this.#keepKubepodsLimits();
    this.#keeper.checkAll();
  }

  #keepKubepodsLimits(): void {
    if (!this.#mayWrite || this.#pods === undefined) return;
    for (const kubepods of this.#containers?.kubepods ?? []) {
      const limit = this.#kubepodsLimits.get(kubepods) ?? new KubepodsLimit(kubepods);
      this.#kubepodsLimits.set(kubepods, limit);
      this.#keepKubepodsLimit(limit);
    }
  }

  #keepKubepodsLimit(limit: KubepodsLimit): void {
    const { nodeSwapLimitBytes, maxRestoresPerMinute } = this.#config;
    const now = this.#options.nowSeconds();
    try {
      const change = limit.keep(nodeSwapLimitBytes, this.#options.pageBytes, maxRestoresPerMinute, now);
      if (change === undefined) return;
      const { path, beforeBytes, effectiveBytes } = change;
      const event = change.isRestored ? "node-swap-limit-restored" : "node-swap-limit-set";
      this.#listener.onEvent(event, { path, beforeBytes, effectiveBytes }, 1);
    } catch (error) {
      this.#listener.onEvent("node-swap-limit-failed", { error: (error as Error).message }, 0);
    }
  }

  #tick(): void {
    const now = this.#options.nowSeconds();
    this.#tickedSeconds = now;
    this.#readCapacity();
    if (this.#clockSteps.hasGoneBack()) {
      this.#containers?.renew();
      this.#pass();
    }
    const { sweepSeconds } = this.#config;
    const isSearching = this.#containers?.isIncomplete === true;
    if (now - this.#sweptSeconds >= (isSearching ? Math.min(SEARCH_SECONDS, sweepSeconds) : sweepSeconds)) {
      this.#sweptSeconds = now;
      this.#containers?.sweep();
      this.#pass();
    }
    this.#keeper.tick();
  }

  #readCapacity(): void {
    const before = this.#node;
    try {
      this.#node = readNodeCapacity(this.#options.fsroot);
    } catch (error) {
      this.#listener.onEvent("node-unknown", { error: (error as Error).message }, 0);
    }
    const { memoryTotalBytes, swapTotalBytes } = this.#node;
    if (memoryTotalBytes === before.memoryTotalBytes && swapTotalBytes === before.swapTotalBytes) return;
    const previous = {
      previousMemoryBytes: before.memoryTotalBytes,
      previousSwapBytes: before.swapTotalBytes,
    };
    this.#listener.onEvent("node-capacity-changed", { memoryTotalBytes, swapTotalBytes, ...previous }, 0);
    this.#pass();
  }
}
