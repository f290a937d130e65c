import type { Kubepods } from "../../host/kubepods.ts";
import { SwapLimit } from "../../host/swap-limit.ts";
import { calmed, contested, restoreAt, restored, UNCONTESTED } from "../../policy/limits/contest.ts";
import { wholePages } from "../../policy/limits/reconcile.ts";
import type { LimitAgentListener } from "./limit-context.ts";

/** Settings of the node swap limit; seconds are those of a clock that never jumps. */
export interface NodeSwapLimitSettings {
  /** Swap limit of kubepods in bytes; undefined for none. */
  readonly limitBytes: number | undefined;
  readonly pageBytes: number;
  readonly maxRestoresPerMinute: number;
  readonly nowSeconds: number;
}

/** A written swap limit of kubepods, in bytes; Infinity for none. */
interface NodeSwapLimitChange {
  readonly path: string;
  readonly beforeBytes: number;
  readonly effectiveBytes: number;
  /** True if another process had changed the limit. */
  readonly isRestored: boolean;
}

/** Swap limit of the node's kubepods cgroups, that is of all pods together. */
export class NodeSwapLimit {
  // By the cgroup, not by its path: a new cgroup has no limit that another process could have changed.
  readonly #limits = new WeakMap<Kubepods, KubepodsLimit>();

  /** Writes the limit of each kubepods cgroup that differs, and reports it; never throws. */
  keep(
    all: readonly Kubepods[],
    settings: NodeSwapLimitSettings,
    listener: Pick<LimitAgentListener, "log" | "begin">,
  ): void {
    for (const kubepods of all) {
      try {
        const change = this.#keepOne(kubepods, settings);
        if (change === undefined) continue;
        const { isRestored, ...fields } = change;
        listener.log(isRestored ? "node-swap-limit-restored" : "node-swap-limit-set", fields, 1);
      } catch (error) {
        listener.begin("node-swap-limit-failed", (error as Error).message);
      }
    }
  }

  #keepOne(kubepods: Kubepods, settings: NodeSwapLimitSettings): NodeSwapLimitChange | undefined {
    const limit = this.#limits.get(kubepods) ?? new KubepodsLimit(kubepods);
    this.#limits.set(kubepods, limit);
    return limit.keep(settings);
  }
}

class KubepodsLimit {
  readonly #path: string;
  readonly #limit: SwapLimit;
  #rightBytes: number | undefined;
  #contest = UNCONTESTED;

  constructor({ version, mount, path }: Kubepods) {
    this.#path = path;
    this.#limit = new SwapLimit({ version, own: [mount + path], ancestors: [] });
  }

  keep(settings: NodeSwapLimitSettings): NodeSwapLimitChange | undefined {
    const { limitBytes, pageBytes, maxRestoresPerMinute, nowSeconds } = settings;
    // Without a limit, only one that wasp wrote before is taken back.
    if (limitBytes === undefined && this.#rightBytes === undefined) return undefined;
    const wantedBytes = wholePages(limitBytes ?? Number.POSITIVE_INFINITY, pageBytes);
    const isRestored = this.#rightBytes === wantedBytes;
    if (this.#limit.read() === wantedBytes) {
      this.#contest = calmed(this.#contest, nowSeconds);
      this.#rightBytes = wantedBytes;
      return undefined;
    }
    if (isRestored) {
      this.#contest = contested(this.#contest, nowSeconds, maxRestoresPerMinute);
      if (restoreAt(this.#contest, nowSeconds, maxRestoresPerMinute) > nowSeconds) return undefined;
      this.#contest = restored(this.#contest, nowSeconds);
    }
    const { beforeBytes, effectiveBytes } = this.#limit.write(wantedBytes);
    this.#rightBytes = limitBytes === undefined ? undefined : wantedBytes;
    return { path: this.#path, beforeBytes, effectiveBytes, isRestored };
  }
}
