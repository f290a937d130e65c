import type { RunningKubeletConfig } from "../cluster/kubelet-config.ts";
import type { PodList } from "../cluster/pod-list.ts";
import type { AgentConfig } from "../config/agent/knobs.ts";
import type { LoadedConfig, SourcedConfig } from "../config/agent/load.ts";
import { reloadConfig } from "../config/agent/reload.ts";
import { forgetExecutablePages } from "../host/executable-pages.ts";
import { readPageBytes } from "../host/libc.ts";
import type { Event, Fields } from "../log/events.ts";
import { LineWriter } from "../log/line-writer.ts";
import { Logger } from "../log/logger.ts";
import { agentView } from "./agent-view.ts";
import type { Build } from "./build.ts";
import { PressureMonitor } from "./eviction/pressure-monitor.ts";
import { LimitAgent } from "./limits/limit-agent.ts";
import { Endpoint } from "./metrics/endpoint.ts";
import { AgentMetrics } from "./metrics/metrics.ts";
import { Reporter } from "./metrics/reporter.ts";
import { RuntimePlugin } from "./nri/runtime-plugin.ts";
import { KubeletConfigPoll } from "./pods/kubelet-config-poll.ts";
import { followPods, kubeletOf, type PodSource } from "./pods/pod-source.ts";
import { logReload } from "./reload-log.ts";

const nowSeconds = () => performance.now() / 1000;

/** The running agent: keeps swap limits, answers swap pressure, and reports both. */
export class Agent implements AsyncDisposable {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #pageBytes = readPageBytes();
  readonly #logger: Logger;
  readonly #metrics: AgentMetrics;
  readonly #reporter: Reporter;
  readonly #limits: LimitAgent;
  readonly #pressure: PressureMonitor;
  #running: SourcedConfig;
  #endpoint: Endpoint | undefined;
  #source: PodSource | undefined;
  #plugin: RuntimePlugin | undefined;
  #configPoll: KubeletConfigPoll | undefined;
  #isReady = false;

  /** Throws an Error if the node's memory cannot be read. */
  constructor(loaded: LoadedConfig, env: Readonly<Record<string, string | undefined>>, build: Build) {
    const { logFormat, verbosity } = loaded.config;
    const writer = new LineWriter();
    this.#running = loaded;
    this.#env = env;
    this.#logger = new Logger({ format: logFormat, verbosity, write: (line) => writer.write(line) });
    this.#metrics = new AgentMetrics(build);
    this.#reporter = new Reporter(this.#logger, this.#metrics);
    this.#limits = this.#makeLimits();
    this.#pressure = this.#makePressure();
    const { memoryTotalBytes, swapTotalBytes } = this.#limits.node;
    this.#reporter.log("agent-started", { ...build, pid: process.pid, memoryTotalBytes, swapTotalBytes });
    for (const name of loaded.unusedVariables) this.#reporter.log("variable-unused", { name });
  }

  /** Begins to serve, to follow pods, and to keep limits; throws an Error that names the fault if it cannot. */
  start(): void {
    const { config } = this;
    const kubelet = kubeletOf(config);
    if (config.kubeletInsecure) this.#reporter.log("kubelet-unverified", { host: config.kubeletHost });
    this.#endpoint = new Endpoint({
      config,
      view: agentView({
        limits: this.#limits,
        pressure: this.#pressure,
        isNriConnected: () => this.#plugin?.isConnected === true,
        fsroot: config.fsroot,
        pageBytes: this.#pageBytes,
      }),
      metrics: this.#metrics,
      reporter: this.#reporter,
    });
    const configPoll = new KubeletConfigPoll(kubelet, nowSeconds, {
      onConfig: (config) => this.#onKubeletConfig(config),
      onError: ({ message }) => this.#reporter.begin("kubelet-config-unknown", message),
    });
    configPoll.followRestarts({ host: config.kubeletHost, port: config.kubeletPort });
    this.#configPoll = configPoll;
    this.#limits.start();
    if (config.nri) this.#plugin = this.#makePlugin();
    this.#pressure.configure();
    void this.#pressure.clearNode();
    const options = {
      config: () => this.config,
      env: this.#env,
      kubelet,
      prepare: () => configPoll.refresh(),
      isIncomplete: () => this.#limits.hasUnknownContainer,
    };
    this.#source = followPods(options, {
      onPods: (list, durationSeconds) => this.#onPods(list, durationSeconds),
      onError: (error, retrySeconds) => {
        configPoll.expire();
        this.#onPodsError(error, retrySeconds);
      },
    });
  }

  /** Configuration in force. */
  get config(): AgentConfig {
    return this.#running.config;
  }

  /** Applies a changed configuration, except for knobs that need a restart. */
  reload(loaded: SourcedConfig): void {
    const reload = reloadConfig(this.#running, loaded);
    this.#running = reload;
    this.#logger.setVerbosity(this.config.verbosity);
    logReload(reload, this.#reporter.log);
    this.#metrics.countReload("reloaded");
    if (reload.awaitingRestart.length > 0) this.#metrics.countReload("needs-restart");
    this.#limits.setConfig(this.config);
    this.#plugin?.refresh();
    this.#pressure.configure();
  }

  /** Keeps the configuration in force, because the changed one is invalid. */
  refuseReload(error: Error): void {
    this.#reporter.log("config-refused", { error: error.message });
    this.#metrics.countReload("refused");
  }

  /** Ends everything within some seconds; limits stay as they are, the node's taint is removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#pressure.close(), this.#plugin?.stop()]);
    this.#source?.close();
    this.#configPoll?.[Symbol.dispose]();
    this.#limits[Symbol.dispose]();
    this.#endpoint?.close();
    this.#reporter.log("agent-stopping", {});
  }

  #makeLimits(): LimitAgent {
    const { config } = this;
    return new LimitAgent({
      fsroot: config.fsroot,
      pageBytes: this.#pageBytes,
      config,
      nowSeconds,
      listener: {
        log: (event, fields, writes) => this.#onLimitEvent(event, fields, writes),
        begin: (condition, error) => this.#reporter.begin(condition, error),
        onExact: (latencySeconds) => this.#metrics.limitLatency.observe(latencySeconds),
        onStart: (isHookSeen) => this.#metrics.countStart(isHookSeen),
        onPass: (durationSeconds) => this.#onPass(durationSeconds),
        onUnknownContainer: () => this.#source?.ask(),
        onKubeletLimit: () => this.#configPoll?.ask(),
      },
      isLimitOfNri: (containerId) => this.#plugin?.hasGiven(containerId) === true,
    });
  }

  #makePressure(): PressureMonitor {
    return new PressureMonitor({
      config: () => this.config,
      env: this.#env,
      pageBytes: this.#pageBytes,
      limits: this.#limits,
      reporter: this.#reporter,
      askForPods: () => this.#source?.ask(),
      onAnswer: (answer) => this.#metrics.countEviction(answer),
      nowSeconds,
    });
  }

  /** Throws an Error if the node has no cgroup v2. */
  #makePlugin(): RuntimePlugin {
    const limits = this.#limits;
    return new RuntimePlugin({
      config: () => this.config,
      pods: () => limits.pods,
      node: () => limits.node,
      isStoodDown: () => limits.standsDown !== undefined,
      log: this.#reporter.log,
    });
  }

  #onLimitEvent(event: Event, fields: Fields, writes: number): void {
    const { evictionMode, swapReach } = this.config;
    // Limits alone are the kubelet's: the rest of wasp works as the configuration says.
    const shown = event === "stood-down" ? { ...fields, evictionMode, swapReach } : fields;
    this.#reporter.log(event, shown, writes);
    // The runtime may have written it, for a pod that was resized.
    if (event === "swap-limit-restored") this.#source?.ask();
    if (event === "resumed" || event === "node-capacity-changed") this.#plugin?.refresh();
  }

  #onPass(durationSeconds: number): void {
    this.#metrics.reconcileDuration.observe(durationSeconds);
    this.#metrics.lastPass.set(Date.now() / 1000);
    if (this.#isReady) return;
    this.#isReady = true;
    this.#reporter.log("agent-ready", { containers: this.#limits.containers().length });
    forgetExecutablePages();
  }

  #onKubeletConfig({ swapBehavior, thresholds }: RunningKubeletConfig): void {
    this.#reporter.end("kubelet-config-unknown");
    this.#pressure.setKubeletThresholds(thresholds);
    this.#limits.setKubeletSwapBehavior(swapBehavior);
  }

  #onPods(list: PodList, durationSeconds: number | undefined): void {
    this.#metrics.countPodList(this.#sourceName, "success");
    if (durationSeconds !== undefined) this.#metrics.podListDuration.observe(durationSeconds);
    this.#reporter.end("pods-unknown");
    for (const problem of list.problems) this.#reporter.begin("pod-ignored", problem);
    this.#limits.setPods(list);
    // Not before: now the running containers have their exact limits.
    this.#plugin?.start();
    this.#plugin?.refresh();
  }

  #onPodsError(error: Error, retrySeconds: number): void {
    this.#metrics.countPodList(this.#sourceName, "failure");
    this.#limits.holdPods();
    this.#reporter.begin("pods-unknown", error.message, { retrySeconds: Math.ceil(retrySeconds) });
  }

  get #sourceName(): "kubelet" | "api-server" {
    return this.config.podSource === "Kubelet" ? "kubelet" : "api-server";
  }
}
