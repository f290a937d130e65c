import type { NodeFigures } from "../../host/node-figures.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import type { Reason } from "../../policy/limits/container.ts";
import type { HoldReason } from "../../policy/limits/reconcile.ts";
import type { ReachDecision } from "../../policy/reach/memory-high.ts";

/**
 * How a container's swap limit stood when it was last looked at: in force as it was found (kept) or as wasp wrote it
 * (set); written, but a level that containers share allows less (unmet); not in force, as somebody else keeps writing it
 * (contested), as wasp is not to write (planned), or as a file could not be read or written (failed); not known yet what
 * it should be (held); none of wasp's business (left).
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
] as const;

/** A container as the agent shows it; names are undefined as long as its pod is not known. */
export interface ContainerView {
  readonly id: string;
  readonly podUid: string;
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
  /** The runtime tells the agent of containers, as its plugin. */
  readonly isNriConnected: boolean;
  /** What the signals of pressure say; undefined while nobody senses it. */
  readonly signals: () => Observation | undefined;
  /** By name, whether each threshold is crossed. */
  readonly thresholds: () => Readonly<Record<string, boolean>>;
  /** What memory.high of kubepods is decided to be; undefined while nobody decides. */
  readonly reach: () => ReachDecision | undefined;
}
