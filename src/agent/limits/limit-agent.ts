import type { PodList } from "../../cluster/pod-list.ts";
import { ClockSteps } from "../../host/clock-steps.ts";
import type { Kubepods, KubepodsContainer } from "../../host/kubepods.ts";
import { NodeContainers } from "../../host/node-containers.ts";
import type { NodeCapacity } from "../../policy/limits/container.ts";
import { indexPods, type PodIndex } from "../../policy/limits/reconcile.ts";
import {
  isKubeletLimiting,
  type KubeletSigns,
  type StandDownReason,
  standDownReason,
} from "../../policy/limits/stand-down.ts";
import type { ContainerView } from "../metrics/view.ts";
import { Capacity } from "./capacity.ts";
import { ContainerSight } from "./container-sight.ts";
import { KubepodsKeeper } from "./kubepods-keeper.ts";
import type { LimitAgentListener, LimitConfig } from "./limit-context.ts";
import { LimitKeeper } from "./limit-keeper.ts";

/** Options of a limit agent. */
export interface LimitAgentOptions {
  readonly fsroot: string;
  readonly pageBytes: number;
  readonly config: LimitConfig;
  readonly listener: LimitAgentListener;
  /** Returns true if a container started with the limit that wasp itself put into its spec. */
  readonly isLimitOfNri?: (containerId: string) => boolean;
  /** Time after which a container that is said to run, and was not found, counts as unseen. */
  readonly unseenSeconds?: number;
  /** Clock in seconds that never jumps. */
  readonly nowSeconds: () => number;
}

const TICK_MILLISECONDS = 1000;
/** Longest time between two searches for kubepods while it is missing: the kubelet has not run yet, or restarts. */
const SEARCH_SECONDS = 5;
// After this time, a container that no pod's status names is a pause container, or its pod is broken.
const UNKNOWN_SECONDS = 60;

/**
 * Keeps swap limits: observes containers, pods, node capacity and configuration, and lets `policy/` decide. Holds what it
 * does not know: it writes nothing before the node's pods are known.
 */
export class LimitAgent implements Disposable {
  readonly #options: LimitAgentOptions;
  readonly #listener: LimitAgentListener;
  readonly #keeper: LimitKeeper;
  /** Containers that the pods are said to run and that were not found. */
  readonly sight: ContainerSight;
  readonly #kubepodsKeeper: KubepodsKeeper;
  readonly #clockSteps = new ClockSteps();
  readonly #capacity: Capacity;
  #config: LimitConfig;
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

  /** Throws an Error if the node's memory cannot be read. */
  constructor(options: LimitAgentOptions) {
    const { listener, config, fsroot, nowSeconds } = options;
    this.#options = options;
    this.#listener = listener;
    this.#config = config;
    this.#keeper = new LimitKeeper({ ...listener, onKubeletLimit: () => this.#onKubeletLimit() }, nowSeconds);
    this.sight = new ContainerSight({ ...options, keeper: this.#keeper });
    this.#kubepodsKeeper = new KubepodsKeeper(options);
    this.#capacity = new Capacity(fsroot);
    this.#sweptSeconds = nowSeconds();
    this.#tickedSeconds = this.#sweptSeconds;
  }

  /** Follows the node's containers until it is disposed of. */
  start(): void {
    this.#containers = new NodeContainers(this.#options.fsroot, {
      onContainer: (container) => this.#add(container),
      onGone: (containerId) => this.#keeper.remove(containerId),
      onLimitWritten: ({ containerId }) => this.#keeper.check(containerId),
      onSharedLimitWritten: () => this.#checkAll(),
      onError: (error) => this.#listener.begin("watch-failed", error.message),
    });
    this.#isStarting = false;
    this.#updateStandDown();
    this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#containers?.close();
  }

  /** Replaces the node's pods. */
  setPods({ pods }: PodList): void {
    this.#pods = indexPods(pods);
    if (this.#hasPassed) this.#keeper.applyPods(this.#pods);
    else this.#pass();
    this.sight.setPods(this.#pods);
    this.sight.look(this.#containers);
  }

  /** Keeps the pods, which may be out of date from now on. */
  holdPods(): void {
    this.sight.setPods(undefined);
  }

  /** Sets the kubelet's own swap behavior; undefined if it does not report it. */
  setKubeletSwapBehavior(swapBehavior: string | undefined): void {
    this.#kubeletSwapBehavior = swapBehavior;
    this.#updateStandDown();
  }

  /** Changes the configuration. */
  setConfig(config: LimitConfig): void {
    this.#config = config;
    this.#updateStandDown();
    this.#pass();
  }

  /** True once every container was checked with the node's pods known. */
  get isReady(): boolean {
    return this.#hasPassed;
  }

  /** Returns true if the loop has run within these seconds. */
  isAliveWithin(seconds: number): boolean {
    return this.#options.nowSeconds() - this.#tickedSeconds <= seconds;
  }

  /** Reason for writing no limits, because the kubelet limits swap itself; undefined if it does not. */
  get standsDown(): StandDownReason | undefined {
    return this.#standsDown;
  }

  /** Memory and swap of the node in bytes, as last read. */
  get node(): NodeCapacity {
    return this.#capacity.current;
  }

  /** Pods of the node by the UIDs of their cgroups; undefined before they are known. */
  get pods(): PodIndex | undefined {
    return this.#pods;
  }

  /** Kubepods cgroups of the node; none before the kubelet's first start. */
  get kubepods(): readonly Kubepods[] {
    return this.#containers?.kubepods ?? [];
  }

  /** True while a container that has appeared lately is in no known pod's status, or one of a status was not found. */
  get hasUnknownContainer(): boolean {
    return this.#keeper.hasUnknownSince(UNKNOWN_SECONDS) || this.sight.isUncertain;
  }

  /** Returns the views of all containers' last checks, and of the unseen ones. */
  containers(): ContainerView[] {
    return this.sight.withUnseen(this.#keeper.views());
  }

  /** Returns the cgroups of all containers. */
  kubepodsContainers(): KubepodsContainer[] {
    return this.#keeper.kubepodsContainers();
  }

  #add(container: KubepodsContainer): void {
    this.#keeper.add(container, !this.#isStarting);
    if (this.#keeper.isUnknown(container.containerId)) this.#listener.onUnknownContainer();
  }

  #onKubeletLimit(): void {
    this.#hasKubeletLimits = true;
    this.#listener.onKubeletLimit();
    // Not while all containers are being checked.
    queueMicrotask(() => this.#updateStandDown());
  }

  #updateStandDown(): void {
    const before = this.#standsDown;
    this.#standsDown = standDownReason(this.#kubeletSigns);
    if (this.#standsDown === before) return;
    if (this.#standsDown === undefined) this.#listener.log("resumed", {}, 0);
    else this.#listener.log("stood-down", { reason: this.#standsDown }, 0);
    this.#pass();
  }

  get #kubeletSigns(): KubeletSigns {
    return {
      swapLimits: this.#config.swapLimits,
      swapBehavior: this.#kubeletSwapBehavior,
      hasLimitedContainer: this.#hasKubeletLimits,
    };
  }

  /** Checks every container; does nothing before the pods are known. */
  #pass(): void {
    if (this.#pods === undefined || this.#containers === undefined) return;
    const { nowSeconds, pageBytes, isLimitOfNri } = this.#options;
    const started = nowSeconds();
    this.#keepKubepods();
    this.#keeper.apply({
      pods: this.#pods,
      node: this.node,
      pageBytes,
      config: this.#config,
      isLimitOfNri,
      isLeftToKubelet: this.#standsDown !== undefined,
      isKubeletLimiting: isKubeletLimiting(this.#kubeletSigns),
      mayWrite: !this.#config.dryRun,
    });
    this.#hasPassed = true;
    this.#listener.onPass(nowSeconds() - started);
  }

  #checkAll(): void {
    this.#keepKubepods();
    this.#keeper.checkAll();
  }

  #keepKubepods(): void {
    if (this.#pods !== undefined)
      this.#kubepodsKeeper.keep(this.kubepods, this.#config, this.#standsDown !== undefined);
  }

  #tick(): void {
    const now = this.#options.nowSeconds();
    this.#tickedSeconds = now;
    this.#readCapacity();
    // The hook believes a mark for an hour only, which may be the time between two sweeps.
    if (this.#standsDown !== undefined) this.#keepKubepods();
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
      // The kubelet's lists come more often than a sweep; the API server sends pods only when they change.
      this.sight.look(this.#containers, sweepSeconds);
    }
    this.#keeper.tick();
  }

  #readCapacity(): void {
    if (this.#capacity.refresh(this.#listener)) this.#pass();
  }
}
