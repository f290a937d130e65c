import { ApiServer } from "../../cluster/api-server.ts";
import type { AgentConfig } from "../../config/agent/knobs.ts";
import { type PodsAndContainers, PodsSampler } from "../../host/pods-sampler.ts";
import { sampleKubepods, sampleNode } from "../../host/snapshot.ts";
import type { EvictionAnswer } from "../../policy/eviction/answer.ts";
import type { EvictionHoldReason } from "../../policy/eviction/decide.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import type { Snapshot } from "../../policy/eviction/snapshot.ts";
import type { KubeletThresholds } from "../../policy/reach/kubelet-thresholds.ts";
import type { ReachDecision } from "../../policy/reach/memory-high.ts";
import type { LimitAgent } from "../limits/limit-agent.ts";
import type { Reporter } from "../metrics/reporter.ts";
import { apiServerOptionsOf } from "../pods/pod-source.ts";
import { clearNode } from "./clear-node.ts";
import { EvictionStop } from "./eviction-stop.ts";
import { Evictor, type EvictorConfig } from "./evictor.ts";
import { SwapReach } from "./swap-reach.ts";

const TICK_MILLISECONDS = 1000;
// The kubelet's pod list shows candidates for eviction, and the end of a victim.
const POD_LIST_SECONDS = 5;
// Writing memory.high makes the kernel reclaim, which may take any time.
const RELEASE_MILLISECONDS = 700;
const NO_SAMPLES: PodsAndContainers = { podSamples: [], containers: [] };

/** Options of a pressure monitor. */
export interface PressureMonitorOptions {
  readonly config: () => AgentConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pageBytes: number;
  readonly limits: LimitAgent;
  readonly reporter: Reporter;
  /** Requests a list of the node's pods. */
  readonly askForPods: () => void;
  /** Called with the answer to each eviction request. */
  readonly onAnswer: (answer: EvictionAnswer) => void;
  /** Clock in seconds that never jumps. */
  readonly nowSeconds: () => number;
}

/** Senses swap pressure and answers it, by memory.high of kubepods and by evictions, as the configuration says. */
export class PressureMonitor {
  readonly #options: PressureMonitorOptions;
  readonly #closing = new AbortController();
  readonly #reach: SwapReach;
  readonly #podsSampler = new PodsSampler();
  #kubeletThresholds: KubeletThresholds | undefined;
  #stop: EvictionStop | undefined;
  #evictor: Evictor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #askedSeconds = Number.NEGATIVE_INFINITY;

  constructor(options: PressureMonitorOptions) {
    this.#options = options;
    this.#reach = new SwapReach({
      directories: () => options.limits.kubepods.map(({ mount, path }) => mount + path),
      config: () => ({
        ...this.#config(),
        kubelet: this.#kubeletThresholds,
        isEvicting: this.#evictor?.isEvicting ?? false,
      }),
      reporter: options.reporter,
    });
  }

  /** Applies the configuration in force: begins to sense, or stops holding memory.high. */
  configure(): void {
    const { evictionMode, swapReach } = this.#config();
    // An earlier agent may have set memory.high, too.
    if (evictionMode !== "Enforce" || swapReach === "Off") void this.#reach.release();
    if (evictionMode !== "Off" && this.#evictor === undefined) this.#begin();
    if (evictionMode === "Enforce") this.#stop?.follow();
    else this.#stop?.[Symbol.dispose]();
  }

  /** Removes what an earlier, evicting agent has left on the node, if eviction is off. Never fails. */
  async clearNode(): Promise<void> {
    const { config, env, reporter } = this.#options;
    const { nodeName, evictionMode, dryRun } = config();
    if (evictionMode !== "Off" || dryRun || nodeName === undefined) return;
    try {
      const server = new ApiServer({ ...apiServerOptionsOf(config(), env), keepsConnections: true });
      const removed = await clearNode(server, nodeName, this.#closing.signal);
      if (removed.length > 0) reporter.log("node-cleared", { removed: removed.join(", ") });
    } catch {
      // Without eviction, the agent needs neither the API server's address nor the permission to read nodes.
    }
  }

  /** Sets the kubelet's eviction thresholds. */
  setKubeletThresholds(thresholds: KubeletThresholds | undefined): void {
    this.#kubeletThresholds = thresholds;
  }

  /** Values of the pressure signals; undefined while pressure is not sensed. */
  get observation(): Observation | undefined {
    return this.#evictor?.observation;
  }

  /** Thresholds by name, true for a crossed one. */
  get thresholds(): Readonly<Record<string, boolean>> {
    return this.#evictor?.thresholds ?? {};
  }

  /** Reason for which no pod is evicted now; undefined while one is, and while pressure is not sensed. */
  get holdReason(): EvictionHoldReason | undefined {
    return this.#evictor?.holdReason;
  }

  /** Decision about memory.high of kubepods; undefined while none is made. */
  get reach(): ReachDecision | undefined {
    return this.#reach.decision;
  }

  /** Stops sensing, removes the node's taint and releases memory.high; gives up after some seconds. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    this.#stop?.[Symbol.dispose]();
    await Promise.all([
      this.#evictor?.leave(),
      Promise.race([this.#reach.release(), Bun.sleep(RELEASE_MILLISECONDS)]),
    ]);
  }

  #begin(): void {
    try {
      const evictor = this.#makeEvictor();
      this.#evictor = evictor;
      this.#timer = setInterval(() => evictor.tick(), TICK_MILLISECONDS);
    } catch (error) {
      this.#options.reporter.log("eviction-impossible", { error: (error as Error).message });
      void this.#reach.release();
    }
  }

  /** Throws an Error if the node's name or the API server's address is unknown. */
  #makeEvictor(): Evictor {
    const { config, env, reporter, onAnswer, nowSeconds } = this.#options;
    const { nodeName } = config();
    if (nodeName === undefined) throw new Error("the node's name is not known: set --node-name or NODE_NAME");
    const server = new ApiServer({ ...apiServerOptionsOf(config(), env), keepsConnections: true });
    const stop = new EvictionStop(server, nodeName, reporter);
    this.#stop = stop;
    return new Evictor({
      server,
      nodeName,
      config: () => this.#config(),
      takeSnapshot: (withContainers) => this.#takeSnapshot(withContainers),
      isStopped: (found) => stop.isStopped(found),
      reporter,
      onAnswer,
      nowSeconds,
    });
  }

  #config(): EvictorConfig & Pick<AgentConfig, "swapReach" | "maxRestoresPerMinute"> {
    const { config, env } = this.#options;
    const { dryRun, evictionMode, ...rest } = config();
    // A dry run of the limits is a dry run of the evictions, too.
    const mode = dryRun && evictionMode === "Enforce" ? "DryRun" : evictionMode;
    return { ...rest, evictionMode: mode, ownPodUid: env["POD_UID"] };
  }

  #takeSnapshot(withContainers: boolean): Snapshot | undefined {
    const { askForPods, nowSeconds } = this.#options;
    if (withContainers && nowSeconds() - this.#askedSeconds >= POD_LIST_SECONDS) {
      this.#askedSeconds = nowSeconds();
      askForPods();
    }
    const snapshot = this.#sample(withContainers || this.#reach.needsContainers(nowSeconds()));
    if (snapshot !== undefined) this.#reach.take(snapshot);
    return snapshot;
  }

  /** Undefined before the pods are known, and on cgroup v1. Throws an Error that names a file that cannot be read. */
  #sample(withContainers: boolean): Snapshot | undefined {
    const { config, limits, pageBytes, nowSeconds } = this.#options;
    const [kubepods] = limits.kubepods;
    if (limits.pods === undefined || kubepods?.version === 1) return undefined;
    const samples = withContainers ? this.#podsSampler.sample(limits.kubepodsContainers()) : NO_SAMPLES;
    return {
      atSeconds: nowSeconds(),
      pageBytes,
      node: sampleNode(config().fsroot),
      kubepods: kubepods && sampleKubepods(kubepods),
      ...samples,
      // The index may have a pod under two UIDs.
      pods: [...new Set(limits.pods.values())],
    };
  }
}
