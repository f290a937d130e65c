import type { NodeFigures } from "../host/node-figures.ts";
import type { Reason } from "../policy/container.ts";
import type { HoldReason } from "../policy/reconcile.ts";

/** What the agent did about a container's swap limit at its last look. */
export const CONTAINER_STATES = ["kept", "set", "unmet", "planned", "failed", "held", "left"] as const;

/** A container as the agent shows it; names are undefined as long as its pod is not known. */
export interface ContainerView {
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
  readonly state: (typeof CONTAINER_STATES)[number];
  readonly reason: Reason | HoldReason;
  /** The limit it is entitled to, in bytes of swap, Infinity for none; undefined when that was not decided. */
  readonly entitledBytes: number | undefined;
  /** The limit in force, likewise; undefined when it could not be read. */
  readonly effectiveBytes: number | undefined;
  readonly swapUsageBytes: number | undefined;
}

/** What the agent's core shows of itself to whoever asks. */
export interface AgentView {
  readonly containers: () => readonly ContainerView[];
  /** Reads the figures of the node; throws when it cannot. */
  readonly node: () => NodeFigures;
  /** The first full pass is done. */
  readonly isReady: boolean;
  /** Passes come to an end. */
  readonly isAlive: boolean;
  /** The kubelet limits swap itself, and wasp writes nothing. */
  readonly isStoodDown: boolean;
}
