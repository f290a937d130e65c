import type { Kubepods } from "../../host/kubepods.ts";
import { HookNotice } from "./hook-notice.ts";
import type { LimitAgentListener, LimitConfig } from "./limit-context.ts";
import { NodeSwapLimit } from "./node-swap-limit.ts";

/** Options of a keeper of kubepods cgroups. */
export interface KubepodsKeeperOptions {
  readonly listener: Pick<LimitAgentListener, "log" | "begin">;
  readonly pageBytes: number;
  /** Clock in seconds that never jumps. */
  readonly nowSeconds: () => number;
}

/** Keeps what wasp sets at the node's kubepods cgroups: the swap limit of all pods together, and the notice to the hook. */
export class KubepodsKeeper {
  readonly #options: KubepodsKeeperOptions;
  readonly #nodeSwapLimit = new NodeSwapLimit();
  readonly #hookNotice = new HookNotice();

  constructor(options: KubepodsKeeperOptions) {
    this.#options = options;
  }

  /** Sets what is missing, unless this is a dry run; never throws. The swap limit is the kubelet's if all limits are. */
  keep(all: readonly Kubepods[], config: LimitConfig, isLeftToKubelet: boolean): void {
    if (config.dryRun) return;
    for (const kubepods of all) this.#keepHookNotice(kubepods, isLeftToKubelet);
    if (isLeftToKubelet) return;
    const { nodeSwapLimitBytes: limitBytes, maxRestoresPerMinute } = config;
    const { listener, pageBytes, nowSeconds } = this.#options;
    const settings = { limitBytes, pageBytes, maxRestoresPerMinute, nowSeconds: nowSeconds() };
    this.#nodeSwapLimit.keep(all, settings, listener);
  }

  #keepHookNotice(kubepods: Kubepods, isLeftToKubelet: boolean): void {
    const { listener, nowSeconds } = this.#options;
    try {
      this.#hookNotice.keep(kubepods, isLeftToKubelet, nowSeconds());
    } catch (error) {
      listener.begin("hook-notice-failed", (error as Error).message);
    }
  }
}
