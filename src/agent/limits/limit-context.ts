import type { Event, Fields } from "../../log/events.ts";
import type { NodeCapacity } from "../../policy/limits/container.ts";
import type { PodIndex, ReconcileConfig } from "../../policy/limits/reconcile.ts";
import type { SWAP_LIMIT_OWNERS } from "../../policy/limits/stand-down.ts";

/** Inputs of a limit decision that are the same for all containers. */
export interface LimitContext {
  readonly pods: PodIndex;
  readonly node: NodeCapacity;
  readonly pageBytes: number;
  readonly config: ReconcileConfig & { readonly maxRestoresPerMinute: number };
  /** Returns true if a container started with the limit that wasp itself put into its spec. */
  readonly isLimitOfNri?: ((containerId: string) => boolean) | undefined;
  /** True while limits are the kubelet's: each is left as it is, but for those that isKubeletLimiting allows. */
  readonly isLeftToKubelet: boolean;
  /** True while the kubelet is known to run LimitedSwap: what a container has beyond that is taken back. */
  readonly isKubeletLimiting: boolean;
  /** False in a dry run. */
  readonly mayWrite: boolean;
}

/** Receiver of the events of containers' limits. */
export interface LimitListener {
  /** Logs an event of a limit; `writes` is the number of files that were written for it. */
  log(event: Event, fields: Fields, writes: number): void;
  /** Called when the exact limit of a new container is in force, with the time since its cgroup appeared. */
  onExact(latencySeconds: number): void;
  /** Called for a new container that is entitled to swap; `isHookSeen` if its first limit can be the hook's. */
  onStart(isHookSeen: boolean): void;
  /** Called for a new container with a limit that only the kubelet's own LimitedSwap gives. */
  onKubeletLimit(): void;
}

/** Knobs of the limit agent; they may change while it runs. */
export type LimitConfig = LimitContext["config"] & {
  readonly dryRun: boolean;
  readonly swapLimits: (typeof SWAP_LIMIT_OWNERS)[number];
  readonly sweepSeconds: number;
};

/** Receiver of the limit agent's events. */
export interface LimitAgentListener extends LimitListener {
  /** Reports a condition that began or still lasts. */
  begin(condition: Event, error: string): void;
  /** Called after each check of all containers, with its duration. */
  onPass(durationSeconds: number): void;
  /** Called for a container that no pod's status names yet. */
  onUnknownContainer(): void;
}
