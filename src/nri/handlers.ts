import type { NriLimitsContainer, NriLimitsPod } from "../policy/limits/spec-limits.ts";
import type { Unified } from "../policy/memory-qos/files.ts";

/** Pod as the runtime reports it. */
export interface NriPod extends NriLimitsPod {
  readonly id: string;
  readonly name: string;
  readonly uid: string;
}

/** Container as the runtime reports it. */
export interface NriContainer extends NriLimitsContainer {
  readonly id: string;
  readonly podId: string;
  readonly state: "unknown" | "created" | "paused" | "running" | "stopped";
  /** Values of cgroup files in the container's spec. */
  readonly unified: Unified;
}

/** Name, version and time-out of a runtime. */
export interface NriRuntime {
  readonly name: string;
  readonly version: string;
  /** Time that it waits for an answer; undefined if it does not report it. */
  readonly requestTimeoutMillis: number | undefined;
}

/** Update of an existing container. */
export interface ContainerUpdate {
  readonly containerId: string;
  readonly unified: Unified;
}

/**
 * Handlers of the runtime's requests. They are synchronous, because the runtime and all pods' starts wait for them. A
 * thrown Error fails the request, and users see its message.
 */
export interface PluginHandlers {
  /** Called first on each connection; the state of an earlier connection is void. */
  configure(config: string, runtime: NriRuntime): void;
  /** Called with all existing pods and containers; the runtime applies the returned updates. */
  synchronize(pods: readonly NriPod[], containers: readonly NriContainer[]): readonly ContainerUpdate[];
  createContainer(pod: NriPod, container: NriContainer): Unified;
  /**
   * Called when a container runs. This may be the first call for it: containerd 1.7 reports a container neither by
   * `synchronize` nor by `createContainer` if it is created while the updates of `synchronize` are applied.
   */
  startedContainer(pod: NriPod, container: NriContainer): void;
  /** Called with the container's new memory limit; undefined if the request does not change it. */
  updateContainer(pod: NriPod, container: NriContainer, memoryLimitBytes: number | undefined): Unified;
  stopContainer(pod: NriPod, container: NriContainer): void;
  /** Called when a container was removed. */
  removeContainer(pod: NriPod, container: NriContainer): void;
  /** Called once after each `configure`, when the runtime shuts down or the connection ends on either side. */
  disconnected(): void;
}
