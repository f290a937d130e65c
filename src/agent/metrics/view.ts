import type { NodeFigures } from "../../host/node-figures.ts";
import type { EvictionHoldReason } from "../../policy/eviction/decide.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import type { Reason } from "../../policy/limits/container.ts";
import type { HoldReason } from "../../policy/limits/reconcile.ts";
import type { ReachDecision } from "../../policy/reach/memory-high.ts";

/**
 * States of a container's swap limit at the last check: in force as it was found (kept) or as wasp wrote it (set);
 * written, but a shared cgroup above has a lower one (unmet); not in force, because another process keeps writing it
 * (contested), because wasp may not write (planned), or because a file could not be read or written (failed); not
 * decided yet (held); not managed by wasp (left); said to run, but in no cgroup that wasp can find (unseen).
 */
export const CONTAINER_STATES = [
  "kept",
  "set",
  "unmet",
  "contested",
  "planned",
  "failed",
  "held",
  "left",
  "unseen",
] as const;

/** Reason for which a container is unseen: it has no cgroup that wasp can find, or one without processes. */
export type UnseenReason = "no-cgroup" | "no-process";

/** Swap limit of a container for metrics and tables; names are undefined while its pod is unknown. */
export interface ContainerView {
  readonly id: string;
  readonly podUid: string;
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
  readonly state: (typeof CONTAINER_STATES)[number];
  readonly reason: Reason | HoldReason | UnseenReason;
  /** Swap limit that the container is entitled to, in bytes, Infinity for none; undefined if it was not decided. */
  readonly entitledBytes: number | undefined;
  /** Swap limit in force, in bytes, Infinity for none; undefined if it could not be read. */
  readonly effectiveBytes: number | undefined;
  readonly swapUsageBytes: number | undefined;
}

/** State of the agent for its metrics and health checks. */
export interface AgentView {
  readonly containers: () => readonly ContainerView[];
  /** Reads the figures of the node; throws an Error if it cannot. */
  readonly node: () => NodeFigures;
  /** True after the first full pass. */
  readonly isReady: boolean;
  /** Numbers of unseen and of running containers if most are unseen; undefined otherwise. */
  readonly blindness: { readonly unseen: number; readonly running: number } | undefined;
  /** True while the agent's loop runs. */
  readonly isAlive: boolean;
  /** True while the kubelet limits swap itself and wasp writes no swap limit. */
  readonly isStoodDown: boolean;
  /** True while the agent is connected to the runtime as its plugin. */
  readonly isNriConnected: boolean;
  /** Values of the pressure signals; undefined while pressure is not sensed. */
  readonly signals: () => Observation | undefined;
  /** Thresholds by name, true for a crossed one. */
  readonly thresholds: () => Readonly<Record<string, boolean>>;
  /** Reason for which no pod is evicted now; undefined while one is, and while pressure is not sensed. */
  readonly holdReason: () => EvictionHoldReason | undefined;
  /** Decision about memory.high of kubepods; undefined while none is made. */
  readonly reach: () => ReachDecision | undefined;
}
