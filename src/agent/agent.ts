import { ApiServer } from "../cluster/api-server.ts";
import type { RunningKubeletConfig } from "../cluster/kubelet-config.ts";
import type { PodList } from "../cluster/pod-list.ts";
import type { AgentConfig } from "../config/agent/knobs.ts";
import type { LoadedConfig, SourcedConfig } from "../config/agent/load.ts";
import { reloadConfig } from "../config/agent/reload.ts";
import { forgetExecutablePages } from "../host/executable-pages.ts";
import { readNodeFigures } from "../host/node-figures.ts";
import { readPageBytes } from "../host/page-size.ts";
import type { Event, Fields } from "../log/events.ts";
import { LineWriter } from "../log/line-writer.ts";
import { Logger } from "../log/logger.ts";
import { Repeats } from "../log/repeats.ts";
import type { Snapshot } from "../policy/eviction/snapshot.ts";
import type { KubeletThresholds } from "../policy/reach/kubelet-thresholds.ts";
import { Evictor, type EvictorConfig } from "./eviction/evictor.ts";
import { removeLeftMarks } from "./eviction/remove-marks.ts";
import { SwapReach } from "./eviction/swap-reach.ts";
import { Agent } from "./limits/limit-agent.ts";
import { type HttpEndpoint, serveHttp } from "./metrics/http.ts";
import { AgentMetrics } from "./metrics/metrics.ts";
import { Reporter } from "./metrics/reporter.ts";
import type { AgentView } from "./metrics/view.ts";
import { RuntimePlugin } from "./nri/runtime-plugin.ts";
import { KubeletCheck } from "./pods/kubelet-config-poll.ts";
import { apiServerOptionsOf, followPods, kubeletOf, type PodSource } from "./pods/pod-source.ts";

/** Which wasp this is. */
export interface Build {
  readonly version: string;
  readonly commit: string;
}

// A tick comes each second; a pass over a thousand containers takes a tenth of one.
const ALIVE_SECONDS = 30;
const TICK_MILLISECONDS = 1000;
// Whom to evict, and whether a victim is gone, the kubelet's list tells.
const ASK_SECONDS = 5;
// The kernel makes room for as long as it takes.
const PARTING_MILLISECONDS = 700;
const CERTIFICATE_CHECK_MILLISECONDS = 60_000;

const nowSeconds = () => performance.now() / 1000;

/** The agent at work: its core, what feeds it, and what shows it. */
export class Service implements AsyncDisposable {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #logger: Logger;
  readonly #metrics: AgentMetrics;
  readonly #reporter: Reporter;
  readonly #agent: Agent;
  readonly #pageBytes = readPageBytes();
  readonly #view = this.#viewOfAgent();
  #running: SourcedConfig;
  #source: PodSource | undefined;
  #endpoint: HttpEndpoint | undefined;
  #certificateTimer: NodeJS.Timeout | undefined;
  readonly #reach = this.#swapReach();
  #kubeletThresholds: KubeletThresholds | undefined;
  #evictor: Evictor | undefined;
  #evictorTimer: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();
  #askedSeconds = Number.NEGATIVE_INFINITY;
  #plugin: RuntimePlugin | undefined;
  #isReady = false;

  /** Throws an Error where the node's memory cannot be read. */
  constructor(loaded: LoadedConfig, env: Readonly<Record<string, string | undefined>>, build: Build) {
    const { logFormat, verbosity, fsroot } = loaded.config;
    const log = new LineWriter();
    this.#running = loaded;
    this.#env = env;
    this.#logger = new Logger({ format: logFormat, verbosity, write: (line) => log.write(line) });
    this.#metrics = new AgentMetrics(this.#view, build);
    this.#reporter = new Reporter(this.#logger, this.#metrics, new Repeats(() => performance.now()));
    this.#agent = new Agent({
      fsroot,
      pageBytes: this.#pageBytes,
      config: loaded.config,
      nowSeconds,
      listener: {
        onEvent: (event, fields, writes) => this.#onEvent(event, fields, writes),
        onExact: (latencySeconds) => this.#metrics.limitLatency.observe(latencySeconds),
        onStart: (isHookSeen) => this.#metrics.countStart(isHookSeen),
        onPass: (durationSeconds) => this.#onPass(durationSeconds),
        onUnknownContainer: () => this.#source?.ask(),
      },
      isLimitOfNri: (containerId) => this.#plugin?.hasGiven(containerId) === true,
    });
    const { memoryTotalBytes, swapTotalBytes } = this.#agent.node;
    this.#reporter.tell("agent-started", { ...build, pid: process.pid, memoryTotalBytes, swapTotalBytes });
    for (const name of loaded.unusedVariables) this.#reporter.tell("variable-unused", { name });
  }

  /** Begins to serve, to follow pods, and to keep limits; throws an Error that names what is wrong when it cannot. */
  start(): void {
    const { config } = this;
    const kubelet = kubeletOf(config);
    if (config.kubeletInsecure) this.#reporter.tell("kubelet-unverified", { host: config.kubeletHost });
    this.#serve();
    const check = new KubeletCheck(kubelet, nowSeconds, {
      onConfig: (config) => this.#onKubeletConfig(config),
      onError: (error) => this.#reporter.meet("kubelet-config-unknown", { error: error.message }),
    });
    this.#agent.start();
    this.#plug();
    const options = {
      config: () => this.config,
      env: this.#env,
      kubelet,
      prepare: () => check.refresh(),
      isWanting: () => this.#agent.hasUnknownContainer,
    };
    this.#followPressure();
    void this.#clearNode();
    this.#source = followPods(options, {
      onPods: (list, durationSeconds) => this.#onPods(list, durationSeconds),
      onError: (error, retrySeconds) => {
        check.expire();
        this.#onPodsError(error, retrySeconds);
      },
    });
  }

  /** The configuration in force. */
  get config(): AgentConfig {
    return this.#running.config;
  }

  /** Goes by a configuration that was loaded anew, as far as it can without a restart. */
  reload(loaded: SourcedConfig): void {
    const { awaitingRestart, ...running } = reloadConfig(this.#running, loaded);
    this.#running = running;
    this.#logger.setVerbosity(running.config.verbosity);
    this.#reporter.tell("config-reloaded", {});
    this.#metrics.countReload("reloaded");
    if (awaitingRestart.length > 0) {
      this.#reporter.tell("config-needs-restart", { knobs: awaitingRestart.join(", ") });
      this.#metrics.countReload("needs-restart");
    }
    this.#agent.setConfig(running.config);
    this.#plugin?.refresh();
    this.#followPressure();
  }

  /** Goes on as before, because what the configuration was changed to is wrong. */
  refuseReload(error: Error): void {
    this.#reporter.tell("config-refused", { error: error.message });
    this.#metrics.countReload("refused");
  }

  /** Ends everything, which takes some seconds at most; limits stay as they are, the node's taint goes. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#certificateTimer);
    clearInterval(this.#evictorTimer);
    this.#closing.abort();
    await Promise.all([
      this.#evictor?.leave(),
      this.#plugin?.stop(),
      Promise.race([this.#reach.release(), Bun.sleep(PARTING_MILLISECONDS)]),
    ]);
    this.#source?.close();
    this.#agent[Symbol.dispose]();
    void this.#endpoint?.stop();
    this.#reporter.tell("agent-stopping", {});
  }

  #viewOfAgent(): AgentView {
    const agent = () => this.#agent;
    const plugin = () => this.#plugin;
    return {
      containers: () => agent().containers(),
      node: () => readNodeFigures(this.config.fsroot, agent().kubepodsPaths[0], this.#pageBytes),
      get isReady() {
        return agent().isReady;
      },
      get isAlive() {
        return agent().isAliveWithin(ALIVE_SECONDS);
      },
      get isStoodDown() {
        return agent().standsDown !== undefined;
      },
      get isNriConnected() {
        return plugin()?.isConnected === true;
      },
      signals: () => this.#evictor?.observation,
      thresholds: () => this.#evictor?.thresholds ?? {},
      reach: () => this.#reach.decision,
    };
  }

  /** Becomes a plugin of the runtime, if it is to be one. */
  #plug(): void {
    if (!this.config.nri) return;
    this.#plugin = new RuntimePlugin({
      config: () => this.config,
      pods: () => this.#agent.pods,
      node: () => this.#agent.node,
      isStoodDown: () => this.#agent.standsDown !== undefined,
      tell: (event, fields) => this.#reporter.tell(event, fields),
    });
  }

  #serve(): void {
    const { httpAddress: address, httpPort, httpCertificateFile, httpKeyFile } = this.config;
    const tls =
      httpCertificateFile === undefined || httpKeyFile === undefined
        ? undefined
        : { certificateFile: httpCertificateFile, keyFile: httpKeyFile };
    const options = { address, port: httpPort, tls, view: this.#view, metrics: this.#metrics };
    this.#endpoint = serveHttp(options);
    this.#reporter.tell("http-listening", { address, port: this.#endpoint.port, tls: tls !== undefined });
    if (tls !== undefined)
      this.#certificateTimer = setInterval(() => this.#reloadCertificate(), CERTIFICATE_CHECK_MILLISECONDS);
  }

  /** Begins to sense pressure, if it is to be sensed and is not yet. */
  #followPressure(): void {
    const { evictionMode, swapReach } = this.#evictorConfig();
    const { nodeName } = this.config;
    // What an agent before this one may have left behind, too.
    if (evictionMode !== "Enforce" || swapReach === "Off") void this.#reach.release();
    if (evictionMode === "Off" || this.#evictor !== undefined) return;
    try {
      if (nodeName === undefined)
        throw new Error("the node's name is not known: set --node-name or NODE_NAME");
      const server = new ApiServer(apiServerOptionsOf(this.config, this.#env));
      this.#evictor = new Evictor({
        server,
        nodeName,
        config: () => this.#evictorConfig(),
        look: (withContainers) => this.#look(withContainers),
        tell: (event, fields) => this.#reporter.tell(event, fields),
        meet: (event, error) => this.#meetOrEnd(event, error),
        onAnswer: (answer) => this.#metrics.countEviction(answer),
        nowSeconds,
      });
      this.#evictorTimer = setInterval(() => this.#evictor?.tick(), TICK_MILLISECONDS);
    } catch (error) {
      this.#reporter.tell("eviction-impossible", { error: (error as Error).message });
      void this.#reach.release();
    }
  }

  /** Takes away what an agent that evicted has left, once: where eviction is off, nobody else would. */
  async #clearNode(): Promise<void> {
    const { nodeName, evictionMode, dryRun } = this.config;
    if (evictionMode !== "Off" || dryRun || nodeName === undefined) return;
    try {
      const server = new ApiServer(apiServerOptionsOf(this.config, this.#env));
      const removed = await removeLeftMarks(server, nodeName, this.#closing.signal);
      if (removed.length > 0) this.#reporter.tell("node-cleared", { removed: removed.join(", ") });
    } catch {
      // An agent that never evicts is not granted to look at nodes, and need not know where the API server is.
    }
  }

  #evictorConfig(): EvictorConfig & Pick<AgentConfig, "swapReach" | "maxRestoresPerMinute"> {
    const { config } = this;
    // Who writes no limit evicts nobody either.
    const evictionMode = config.dryRun && config.evictionMode === "Enforce" ? "DryRun" : config.evictionMode;
    return { ...config, evictionMode, ownPodUid: this.#env["POD_UID"] };
  }

  #look(withContainers: boolean): Snapshot | undefined {
    if (withContainers && nowSeconds() - this.#askedSeconds >= ASK_SECONDS) {
      this.#askedSeconds = nowSeconds();
      this.#source?.ask();
    }
    const snapshot = this.#agent.look(withContainers || this.#reach.needsContainers(nowSeconds()));
    if (snapshot !== undefined) this.#reach.take(snapshot);
    return snapshot;
  }

  #meetOrEnd(event: Event, error: Error | undefined): void {
    if (error !== undefined) this.#reporter.meet(event, { error: error.message });
    else this.#reporter.end(ENDS[event] ?? event, event);
  }

  #reloadCertificate(): void {
    try {
      this.#endpoint?.reloadCertificate();
      this.#reporter.end("certificate-accepted", "certificate-refused");
    } catch (error) {
      this.#reporter.meet("certificate-refused", { error: (error as Error).message });
    }
  }

  #swapReach(): SwapReach {
    return new SwapReach({
      directories: () => this.#agent.kubepodsPaths,
      config: () => ({ ...this.#evictorConfig(), kubelet: this.#kubeletThresholds }),
      tell: (event, fields) => this.#reporter.tell(event, fields),
      meet: (event, error) => this.#meetOrEnd(event, error),
    });
  }

  #onEvent(event: Event, fields: Fields, writes: number): void {
    if (LASTING.has(event)) this.#reporter.meet(event, fields);
    else this.#reporter.tell(event, fields, writes);
    // Whoever wrote may have been the runtime, for a pod that was resized.
    if (event === "swap-limit-restored") this.#source?.ask();
    if (event === "resumed" || event === "node-capacity-changed") this.#plugin?.refresh();
  }

  #onPass(durationSeconds: number): void {
    this.#metrics.reconcileDuration.observe(durationSeconds);
    this.#metrics.lastPass.set(Date.now() / 1000);
    if (this.#isReady) return;
    this.#isReady = true;
    this.#reporter.tell("agent-ready", { containers: this.#agent.containers().length });
    forgetExecutablePages();
  }

  #onKubeletConfig({ swapBehavior, thresholds }: RunningKubeletConfig): void {
    this.#reporter.end("kubelet-config-known", "kubelet-config-unknown");
    this.#kubeletThresholds = thresholds;
    this.#agent.setKubeletSwapBehavior(swapBehavior);
  }

  #onPods(list: PodList, durationSeconds: number | undefined): void {
    this.#metrics.countPodList(this.#sourceName, "success");
    if (durationSeconds !== undefined) this.#metrics.podListDuration.observe(durationSeconds);
    this.#reporter.end("pods-known", "pods-unknown");
    for (const problem of list.problems) this.#reporter.meet("pod-ignored", { error: problem });
    this.#agent.setPods(list);
    // Not before: the containers that run have what their pods entitle them to.
    this.#plugin?.start();
    this.#plugin?.refresh();
  }

  #onPodsError(error: Error, retrySeconds: number): void {
    this.#metrics.countPodList(this.#sourceName, "failure");
    this.#reporter.meet("pods-unknown", { error: error.message }, { retrySeconds: Math.ceil(retrySeconds) });
  }

  get #sourceName(): "kubelet" | "api-server" {
    return this.config.podSource === "Kubelet" ? "kubelet" : "api-server";
  }
}

/** What tells that a condition is over. */
const ENDS: Partial<Record<Event, Event>> = {
  "node-unknown": "node-known",
  "node-unmarked": "node-marked",
  "event-unrecorded": "event-recorded",
  "swap-reach-failed": "swap-reach-regained",
  "swap-reach-left": "swap-reach-taken",
};

/** Events of conditions that last, and are met again and again as long as they do. */
const LASTING: ReadonlySet<Event> = new Set<Event>([
  "watch-failed",
  "node-unknown",
  "node-swap-limit-failed",
]);
