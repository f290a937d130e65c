import { isGone } from "../../host/gone-cgroup.ts";
import type { KubepodsContainer } from "../../host/kubepods.ts";
import { SystemError } from "../../host/libc.ts";
import { readSwapUsage, SwapLimit } from "../../host/swap-limit.ts";
import type { Pod } from "../../policy/kubernetes/pod.ts";
import type { Container } from "../../policy/limits/container.ts";
import { containerOfPod } from "../../policy/limits/container-of-pod.ts";
import { calmed, contested, restoreAt, restored, UNCONTESTED } from "../../policy/limits/contest.ts";
import {
  type DecidedFinding,
  type FoundContainer,
  type PodIndex,
  reconcile,
} from "../../policy/limits/reconcile.ts";
import type { ContainerView } from "../metrics/view.ts";
import { namesIn, uncheckedView, viewOf } from "./container-view.ts";
import { findKubeletExcess, firstWriterOf } from "./kubelet-limit.ts";
import type { LimitContext, LimitListener } from "./limit-context.ts";
import { LimitLog } from "./limit-log.ts";

const MAX_RETRY_SECONDS = 60;
// In that time the kubelet answers whether it limits swap itself.
const DEFERRED_SECONDS = 5;

/**
 * Swap limit of one container over time. Remembers enough to distinguish a first write from a restored one, and one
 * foreign write from a contest. Seconds are those of a clock that never jumps.
 */
export class ContainerLimit {
  /** The container; its cgroup levels may grow, because crun makes the lower one after the scope. */
  container: KubepodsContainer;
  /** Time at which its cgroup appeared; undefined for a container that was there before wasp. */
  readonly appearedSeconds: number | undefined;
  /** Time of the next check without an event; Infinity for never. */
  dueSeconds = Number.POSITIVE_INFINITY;
  readonly #listener: LimitListener;
  readonly #log: LimitLog;
  #view: ContainerView;
  #isKnown = false;
  /** True once its exact limit was in force. */
  #isExact = false;
  #isWritten = false;
  /** True once it has lost what it had beyond the kubelet's own limit. */
  #isTakenBack = false;
  /** Exact limit that its own cgroup levels last had, as found or as written. */
  #rightBytes: number | undefined;
  #contest = UNCONTESTED;
  #failures = 0;

  constructor(container: KubepodsContainer, appearedSeconds: number | undefined, listener: LimitListener) {
    this.container = container;
    this.appearedSeconds = appearedSeconds;
    this.#listener = listener;
    this.#log = new LimitLog(listener);
    this.#view = uncheckedView(container);
  }

  /** Returns the view of its last check, with its current swap usage. */
  shown(): ContainerView {
    try {
      return { ...this.#view, swapUsageBytes: readSwapUsage(this.container.cgroup) };
    } catch {
      // Its cgroup is about to go, which the watch reports.
      return this.#view;
    }
  }

  /** True once its pod's status names it; its limit is held before that. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /**
   * Checks the limit in force and corrects it if necessary. Never throws; a missing cgroup is no error. `sharedLimits`
   * are those of SwapLimit.
   */
  check(context: LimitContext, nowSeconds: number, sharedLimits?: Map<string, number>): void {
    this.dueSeconds = Number.POSITIVE_INFINITY;
    try {
      this.#reconcile(context, nowSeconds, new SwapLimit(this.container.cgroup, sharedLimits));
      this.#failures = 0;
    } catch (error) {
      if (!isGone(this.container.cgroup, error)) this.#fail(error as Error, context.pods, nowSeconds);
    }
  }

  /** Removes the limit from its cgroup if it is wasp's; never throws. */
  release(): void {
    try {
      const limit = new SwapLimit(this.container.cgroup);
      if (this.#isWritten && this.#rightBytes !== undefined && limit.isSet(this.#rightBytes))
        limit.write(Number.POSITIVE_INFINITY);
    } catch {
      // Its cgroup is gone, and the limit with it.
    }
  }

  #reconcile(context: LimitContext, nowSeconds: number, limit: SwapLimit): void {
    const { pods, node, config, pageBytes, isLeftToKubelet, mayWrite } = context;
    const found = this.#find(limit);
    const finding = reconcile(found, pods, node, config, pageBytes);
    this.#view = viewOf(found, finding);
    if (finding.action === "hold") return;
    if (this.#isOfKubelet(found, finding, context)) this.#defer(nowSeconds);
    else if (isLeftToKubelet) this.#keepToKubelet(limit, found, finding, context);
    else if (!limit.isPossible && finding.wantedBytes !== Number.POSITIVE_INFINITY)
      this.#leave({ reason: "no-memory-limit" });
    else if (finding.action === "keep") this.#confirm(finding, nowSeconds);
    else if (!mayWrite) this.#plan(finding);
    else if (limit.isSet(finding.wantedBytes)) this.#reportUnmet(finding, found.effectiveBytes, 0);
    else this.#correct(limit, finding, nowSeconds, config.maxRestoresPerMinute);
  }

  #find(limit: SwapLimit): FoundContainer {
    const { containerId: id, podUid, cgroup, isSandbox } = this.container;
    return { id, podUid, isSandbox, effectiveBytes: limit.read(), swapUsageBytes: readSwapUsage(cgroup) };
  }

  #isOfKubelet(found: FoundContainer, { pod }: DecidedFinding, context: LimitContext): boolean {
    const arrived = this.#arrivedIn(pod);
    if (arrived === undefined) return false;
    const writer = firstWriterOf(arrived, found, context);
    if (writer === "hook" || writer === "other") this.#listener.onStart(writer === "hook");
    return writer === "kubelet";
  }

  /** Returns the new container at its first check with a known pod: only its runtime and the hook have written to it. */
  #arrivedIn(pod: Pod): Container | undefined {
    const isFirst = !this.#isKnown;
    this.#isKnown = true;
    if (!isFirst || this.appearedSeconds === undefined) return undefined;
    return this.#specIn(pod);
  }

  #specIn(pod: Pod): Container | undefined {
    const spec = pod.containers.find(({ id }) => id === this.container.containerId);
    return spec && containerOfPod(pod, spec);
  }

  /** Keeps the kubelet's limit for now: whether wasp stands down is decided for all containers together. */
  #defer(nowSeconds: number): void {
    this.#leaveToKubelet();
    this.dueSeconds = nowSeconds + DEFERRED_SECONDS;
    this.#listener.onKubeletLimit();
  }

  /** Leaves the limit to the kubelet, but takes back, once, what is beyond it: the hook cannot always see that. */
  #keepToKubelet(
    limit: SwapLimit,
    found: FoundContainer,
    finding: DecidedFinding,
    context: LimitContext,
  ): void {
    const container = this.#isTakenBack ? undefined : this.#specIn(finding.pod);
    const excess = container && findKubeletExcess(found, finding, container, context);
    if (excess === undefined) this.#leaveToKubelet();
    else this.#takeBack(limit, found, excess, context.mayWrite);
  }

  #takeBack(limit: SwapLimit, found: FoundContainer, excess: DecidedFinding, mayWrite: boolean): void {
    this.#view = viewOf(found, excess);
    if (!mayWrite) {
      this.#plan(excess);
      return;
    }
    const { beforeBytes, effectiveBytes, writes } = limit.write(excess.wantedBytes);
    this.#isTakenBack = true;
    this.#view = { ...this.#view, state: "set", effectiveBytes };
    this.#log.log("swap-limit-set", this.#view, { beforeBytes }, writes);
  }

  // What wasp would grant is nothing that the container is entitled to.
  readonly #leaveToKubelet = () => this.#leave({ reason: "kubelet-limited-swap", entitledBytes: undefined });

  #leave(reasons: Pick<ContainerView, "reason"> & Partial<ContainerView>): void {
    this.#view = { ...this.#view, state: "left", ...reasons };
    this.#log.logOnce("swap-limit-left", this.#view);
  }

  #confirm(finding: DecidedFinding, nowSeconds: number): void {
    this.#view = { ...this.#view, state: this.#isWritten ? "set" : "kept" };
    if (!this.#isExact) this.#log.log("swap-limit-kept", this.#view);
    this.#onInForce(finding, nowSeconds);
  }

  #plan(finding: DecidedFinding): void {
    this.#view = { ...this.#view, state: "planned" };
    this.#warnOfUsage(finding);
    this.#log.logOnce("swap-limit-planned", this.#view);
  }

  /** Reports a limit that is written but not in force: a cgroup above the container's own has a lower one. */
  #reportUnmet(finding: DecidedFinding, effectiveBytes: number, writes: number): void {
    this.#rightBytes = finding.wantedBytes;
    this.#view = { ...this.#view, state: "unmet", effectiveBytes };
    this.#log.logOnce("swap-limit-unmet", this.#view, {}, writes);
  }

  #correct(
    limit: SwapLimit,
    finding: DecidedFinding,
    nowSeconds: number,
    maxRestoresPerMinute: number,
  ): void {
    const wasRight = this.#rightBytes === finding.wantedBytes;
    if (wasRight && !this.#mayRestore(nowSeconds, maxRestoresPerMinute)) return;
    const { beforeBytes, effectiveBytes, writes } = limit.write(finding.wantedBytes);
    // A runtime that updates a container writes its own limit first, and the plugin's right after it.
    if (writes === 0 && effectiveBytes === finding.wantedBytes) {
      this.#view = { ...this.#view, effectiveBytes };
      this.#confirm(finding, nowSeconds);
      return;
    }
    this.#isWritten = true;
    if (wasRight) this.#contest = restored(this.#contest, nowSeconds);
    // If another process wrote a level of the container's own meanwhile, isSet is false: the next check corrects it.
    if (effectiveBytes !== finding.wantedBytes && limit.isSet(finding.wantedBytes)) {
      this.#reportUnmet(finding, effectiveBytes, writes);
      return;
    }
    this.#view = { ...this.#view, state: "set", effectiveBytes };
    this.#onInForce(finding, nowSeconds);
    const event = wasRight ? "swap-limit-restored" : "swap-limit-set";
    this.#log.log(event, this.#view, { beforeBytes }, writes);
  }

  #mayRestore(nowSeconds: number, maxRestoresPerMinute: number): boolean {
    const wasContested = this.#contest.isContested;
    this.#contest = contested(this.#contest, nowSeconds, maxRestoresPerMinute);
    if (this.#contest.isContested && !wasContested)
      this.#log.log("swap-limit-contested", this.#view, { maxRestoresPerMinute });
    const at = restoreAt(this.#contest, nowSeconds, maxRestoresPerMinute);
    if (at <= nowSeconds) return true;
    this.dueSeconds = at;
    this.#view = { ...this.#view, state: "contested" };
    return false;
  }

  #onInForce(finding: DecidedFinding, nowSeconds: number): void {
    this.#rightBytes = finding.wantedBytes;
    this.#log.reset("swap-limit-unmet");
    this.#log.reset("swap-limit-failed");
    this.#warnOfUsage(finding);
    if (!this.#isExact && this.appearedSeconds !== undefined)
      this.#listener.onExact(nowSeconds - this.appearedSeconds);
    this.#isExact = true;
    const wasContested = this.#contest.isContested;
    this.#contest = calmed(this.#contest, nowSeconds);
    if (this.#contest.isContested) this.dueSeconds = nowSeconds + MAX_RETRY_SECONDS;
    else if (wasContested) this.#log.log("swap-limit-uncontested", this.#view);
  }

  #warnOfUsage(finding: DecidedFinding): void {
    if (finding.isBelowUsage) this.#log.logOnce("swap-limit-below-usage", this.#view);
    else this.#log.reset("swap-limit-below-usage");
  }

  #fail(error: Error, pods: PodIndex, nowSeconds: number): void {
    this.#failures += 1;
    this.dueSeconds = nowSeconds + Math.min(MAX_RETRY_SECONDS, 2 ** (this.#failures - 1));
    // The files of a cgroup that is being removed may go before the cgroup itself: the next check shows it.
    if (this.#failures === 1 && error instanceof SystemError && error.isMissing) return;
    this.#view = { ...this.#view, ...namesIn(pods, this.container), state: "failed" };
    this.#log.logOnce("swap-limit-failed", this.#view, { error: error.message });
  }
}
