import type { Kubepods } from "../../host/kubepods.ts";
import { SwapLimit } from "../../host/swap-limit.ts";
import { calmed, contested, restoreAt, restored, UNCONTESTED } from "../../policy/limits/contest.ts";
import { wholePages } from "../../policy/limits/reconcile.ts";

/** What became of the limit of all pods together, in bytes; Infinity for none. */
export interface KubepodsLimitChange {
  readonly path: string;
  readonly beforeBytes: number;
  readonly effectiveBytes: number;
  readonly isRestored: boolean;
}

/** The swap limit of a kubepods cgroup, that is of all pods together; seconds are those of a clock that never jumps. */
export class KubepodsLimit {
  readonly #path: string;
  readonly #limit: SwapLimit;
  #rightBytes: number | undefined;
  #contest = UNCONTESTED;

  constructor({ version, mount, path }: Kubepods) {
    this.#path = path;
    this.#limit = new SwapLimit({ version, own: [mount + path], ancestors: [] });
  }

  /**
   * Brings the limit to so many bytes if it is not; undefined leaves it alone, but takes back what wasp wrote before.
   * Returns what changed. Throws an error that names the file that cannot be read or written.
   */
  keep(
    limitBytes: number | undefined,
    pageBytes: number,
    maxRestoresPerMinute: number,
    nowSeconds: number,
  ): KubepodsLimitChange | undefined {
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
