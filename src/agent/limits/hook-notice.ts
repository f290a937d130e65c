import { markKubeletLimits, unmarkKubeletLimits } from "../../host/kubelet-limits-mark.ts";
import type { Kubepods } from "../../host/kubepods.ts";

// Well below the age up to which the hook believes a mark.
const RENEW_SECONDS = 600;

/** State that was last recorded for a cgroup. */
interface Noticed {
  readonly isLeftToKubelet: boolean;
  readonly atSeconds: number;
}

/**
 * Lets the hook know, by a mark on the kubepods cgroups, that the kubelet limits swap itself: a container's OCI config
 * does not show it where the kubelet gives that container none.
 */
export class HookNotice {
  readonly #noticed = new WeakMap<Kubepods, Noticed>();

  /**
   * Sets or removes the mark of a kubepods cgroup if that is due, in seconds of a clock that never jumps; throws an
   * Error that names the cgroup. LimitedSwap is without effect on cgroup v1, which gets no mark (kubernetes
   * pkg/kubelet/kuberuntime/kuberuntime_container_linux.go:241-243).
   */
  keep(kubepods: Kubepods, isLeftToKubelet: boolean, nowSeconds: number): void {
    const last = this.#noticed.get(kubepods);
    const isDue = isLeftToKubelet && nowSeconds - (last?.atSeconds ?? 0) >= RENEW_SECONDS;
    if (kubepods.version === 1 || (last?.isLeftToKubelet === isLeftToKubelet && !isDue)) return;
    const directory = kubepods.mount + kubepods.path;
    if (isLeftToKubelet) markKubeletLimits(directory);
    else unmarkKubeletLimits(directory);
    this.#noticed.set(kubepods, { isLeftToKubelet, atSeconds: nowSeconds });
  }
}
