import type { Unified } from "../policy/memory-qos/files.ts";

/** A pod as the runtime tells of it. */
export interface NriPod {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly cgroupParent: string;
}

/** A container as the runtime tells of it. */
export interface NriContainer {
  readonly id: string;
  readonly podId: string;
  readonly name: string;
  readonly state: "unknown" | "created" | "paused" | "running" | "stopped";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Undefined where there is none. */
  readonly memoryLimitBytes: number | undefined;
  readonly oomScoreAdj: number | undefined;
  readonly cgroupsPath: string;
  /** What is written into the cgroup's files already. */
  readonly unified: Unified;
}

/** What a runtime says of itself. */
export interface NriRuntime {
  readonly name: string;
  readonly version: string;
  /** How long it waits for an answer; undefined where it does not tell. */
  readonly requestTimeoutMillis: number | undefined;
}

/** What a container that is there already is to have. */
export interface ContainerUpdate {
  readonly containerId: string;
  readonly unified: Unified;
}

/**
 * What a plugin does on the runtime's requests: at once, since the runtime waits, and all pods' starts with it. An Error
 * that is thrown fails the request, and its message is what users see.
 */
export interface PluginHandlers {
  /** The first request of a connection; what is known from one before no longer counts. */
  configure(config: string, runtime: NriRuntime): void;
  /** All that is there; the updates are asked for. */
  synchronize(pods: readonly NriPod[], containers: readonly NriContainer[]): readonly ContainerUpdate[];
  createContainer(pod: NriPod, container: NriContainer): Unified;
  /**
   * The container runs. It may be the first that is heard of it: containerd 1.7 tells neither here nor there of one that
   * it was asked for while it made the updates of `synchronize`.
   */
  startedContainer(pod: NriPod, container: NriContainer): void;
  /** The limit is the one that the container is to have from now on, undefined where the request leaves it. */
  updateContainer(pod: NriPod, container: NriContainer, memoryLimitBytes: number | undefined): Unified;
  stopContainer(pod: NriPod, container: NriContainer): void;
  /** The container is gone. */
  removeContainer(pod: NriPod, container: NriContainer): void;
  /** The runtime goes down, or the connection is over, whoever ended it: once after each `configure`. */
  disconnected(): void;
}
