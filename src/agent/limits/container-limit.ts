import { existsSync } from "node:fs";
import type { KubepodsContainer } from "../../host/kubepods.ts";
import { SystemError } from "../../host/libc.ts";
import { readSwapUsage, SwapLimit } from "../../host/swap-limit.ts";
import type { Event, Fields } from "../../log/events.ts";
import type { Pod } from "../../policy/kubernetes/pod.ts";
import type { Container, NodeCapacity } from "../../policy/limits/container.ts";
import { containerOfPod } from "../../policy/limits/container-of-pod.ts";
import { calmed, contested, restoreAt, restored, UNCONTESTED } from "../../policy/limits/contest.ts";
import { hookLimitOf, mayBeFromHook } from "../../policy/limits/hook-limit.ts";
import {
  type FoundContainer,
  type LimitFinding,
  type PodIndex,
  type ReconcileConfig,
  reconcile,
} from "../../policy/limits/reconcile.ts";
import { carriesKubeletLimit } from "../../policy/limits/stand-down.ts";
import type { ContainerView } from "../metrics/view.ts";

/** All that decides about limits besides the containers themselves. */
export interface Circumstances {
  readonly pods: PodIndex;
  readonly node: NodeCapacity;
  readonly pageBytes: number;
  readonly config: ReconcileConfig & { readonly maxRestoresPerMinute: number };
  /** Whether a container started with the limit that wasp itself put into its spec. */
  readonly isLimitOfNri?: ((containerId: string) => boolean) | undefined;
  /** Whether limits are written, or only looked at: in a dry run, and while the kubelet limits swap itself. */
  readonly mayWrite: boolean;
}

/** Who is told of limits. */
export interface LimitListener {
  /** Something happened to a container's limit, after so many writes of files. */
  onLimit(event: Event, fields: Fields, writes: number): void;
  /** The exact limit of a container that came while wasp watched is in force, so long after its cgroup appeared. */
  onExact(latencySeconds: number): void;
  /** A container that the hook gives swap came while wasp watched, and its limit may be the hook's, or cannot be. */
  onStart(isHookSeen: boolean): void;
  /** A container came with a limit that only the kubelet's own LimitedSwap gives. */
  onKubeletLimit(containerId: string): void;
}

type Known = Exclude<LimitFinding, { action: "hold" }>;

const MAX_RETRY_SECONDS = 60;

/**
 * The swap limit of one container over time: what has to be remembered to tell a first write from a restored one, and
 * another's slip from a contest. Seconds are those of a clock that never jumps.
 */
export class ContainerLimit {
  /** The container, whose levels may become more: crun makes the lower one after the scope. */
  container: KubepodsContainer;
  /** When its cgroup appeared; undefined for one that was there before wasp. */
  readonly appearedSeconds: number | undefined;
  /** When to look again unasked; Infinity for never. */
  dueSeconds = Number.POSITIVE_INFINITY;
  readonly #listener: LimitListener;
  #view: ContainerView;
  #isKnown = false;
  /** It was in force as it should be at least once. */
  #isExact = false;
  #isWritten = false;
  /** What its own levels were last seen to hold, or made to, as they should. */
  #rightBytes: number | undefined;
  #contest = UNCONTESTED;
  #failures = 0;
  /** What was last told of each kind, so that it is not told again. */
  readonly #told = new Map<Event, string>();

  constructor(container: KubepodsContainer, appearedSeconds: number | undefined, listener: LimitListener) {
    this.container = container;
    this.appearedSeconds = appearedSeconds;
    this.#listener = listener;
    this.#view = {
      id: container.containerId,
      podUid: container.podUid,
      namespace: undefined,
      pod: undefined,
      container: undefined,
      state: "held",
      reason: "pod-unknown",
      entitledBytes: undefined,
      effectiveBytes: undefined,
      swapUsageBytes: undefined,
    };
  }

  /** How it was when it was last looked at, and what it has swapped out by now. */
  shown(): ContainerView {
    try {
      return { ...this.#view, swapUsageBytes: readSwapUsage(this.container.cgroup) };
    } catch {
      // It is going; who follows it will tell.
      return this.#view;
    }
  }

  /** Whether its pod and its place in that have been told of; before, it is held. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /**
   * Looks at the limit in force and corrects it if need be. Never throws; a cgroup that is gone is nothing to tell.
   * sharedLimits are those of SwapLimit.
   */
  check(circumstances: Circumstances, nowSeconds: number, sharedLimits?: Map<string, number>): void {
    this.dueSeconds = Number.POSITIVE_INFINITY;
    try {
      this.#keep(circumstances, nowSeconds, new SwapLimit(this.container.cgroup, sharedLimits));
      this.#failures = 0;
    } catch (error) {
      if (!this.#isGone(error)) this.#fail(error as Error, circumstances.pods, nowSeconds);
    }
  }

  #keep(circumstances: Circumstances, nowSeconds: number, limit: SwapLimit): void {
    const { pods, node, config, pageBytes, mayWrite } = circumstances;
    const found = this.#find(limit);
    const finding = reconcile(found, pods, node, config, pageBytes);
    this.#view = viewOf(found, finding);
    if (finding.action === "hold") return;
    if (this.#isOfKubelet(found, finding, circumstances)) this.#yield(nowSeconds);
    else if (!limit.isPossible && finding.wantedBytes !== Number.POSITIVE_INFINITY) this.#leave();
    else if (finding.action === "keep") this.#confirm(finding, nowSeconds);
    else if (!mayWrite) this.#plan(finding);
    else if (limit.isSet(finding.wantedBytes)) this.#regret(finding, found.effectiveBytes, 0);
    else this.#correct(limit, finding, nowSeconds, config.maxRestoresPerMinute);
  }

  #find(limit: SwapLimit): FoundContainer {
    const { containerId: id, podUid, cgroup } = this.container;
    return { id, podUid, effectiveBytes: limit.read(), swapUsageBytes: readSwapUsage(cgroup) };
  }

  #isOfKubelet(found: FoundContainer, { pod }: Known, circumstances: Circumstances): boolean {
    const arrived = this.#arrivedIn(pod);
    if (arrived === undefined) return false;
    const { node, config, pageBytes, isLimitOfNri } = circumstances;
    if (isLimitOfNri?.(found.id)) return false;
    if (carriesKubeletLimit(arrived, found.effectiveBytes, node, pageBytes)) return true;
    const isHookSeen = mayBeFromHook(found.effectiveBytes, hookLimitOf(arrived, node, config, pageBytes));
    if (isHookSeen !== undefined) this.#listener.onStart(isHookSeen);
    return false;
  }

  /** It at the first look that knows what it is: nobody but its runtime and the hook has written to it. */
  #arrivedIn(pod: Pod): Container | undefined {
    const isFirst = !this.#isKnown;
    this.#isKnown = true;
    if (!isFirst || this.appearedSeconds === undefined) return undefined;
    const spec = pod.containers.find(({ id }) => id === this.container.containerId);
    return spec && containerOfPod(pod, spec);
  }

  /** Leaves the limit as it is for now: whether to go on is not for one container to decide. */
  #yield(nowSeconds: number): void {
    this.#view = { ...this.#view, state: "left", reason: "kubelet-limited-swap" };
    this.dueSeconds = nowSeconds;
    this.#listener.onKubeletLimit(this.container.containerId);
  }

  #leave(): void {
    this.#view = { ...this.#view, state: "left", reason: "no-memory-limit" };
    this.#tellOnce("swap-limit-left", {}, 0);
  }

  #confirm(finding: Known, nowSeconds: number): void {
    this.#view = { ...this.#view, state: this.#isWritten ? "set" : "kept" };
    if (!this.#isExact) this.#tell("swap-limit-kept", {}, 0);
    this.#settle(finding, nowSeconds);
  }

  #plan(finding: Known): void {
    this.#view = { ...this.#view, state: "planned" };
    this.#warnOfUsage(finding);
    this.#tellOnce("swap-limit-planned", {}, 0);
  }

  /** What wasp wrote does not help: a level that is not the container's own allows less. */
  #regret(finding: Known, effectiveBytes: number, writes: number): void {
    this.#rightBytes = finding.wantedBytes;
    this.#view = { ...this.#view, state: "unmet", effectiveBytes };
    this.#tellOnce("swap-limit-unmet", {}, writes);
  }

  #correct(limit: SwapLimit, finding: Known, nowSeconds: number, maxRestoresPerMinute: number): void {
    const wasRight = this.#rightBytes === finding.wantedBytes;
    if (wasRight && !this.#mayRestore(nowSeconds, maxRestoresPerMinute)) return;
    const { beforeBytes, effectiveBytes, writes } = limit.write(finding.wantedBytes);
    this.#isWritten = true;
    if (wasRight) this.#contest = restored(this.#contest, nowSeconds);
    // One who wrote in between did so at a level of the container's own, and is answered at the next look.
    if (effectiveBytes !== finding.wantedBytes && limit.isSet(finding.wantedBytes)) {
      this.#regret(finding, effectiveBytes, writes);
      return;
    }
    this.#view = { ...this.#view, state: "set", effectiveBytes };
    this.#settle(finding, nowSeconds);
    const event = wasRight ? "swap-limit-restored" : "swap-limit-set";
    this.#tell(event, { beforeBytes }, writes);
  }

  #mayRestore(nowSeconds: number, maxRestoresPerMinute: number): boolean {
    const wasContested = this.#contest.isContested;
    this.#contest = contested(this.#contest, nowSeconds, maxRestoresPerMinute);
    if (this.#contest.isContested && !wasContested)
      this.#tell("swap-limit-contested", { maxRestoresPerMinute }, 0);
    const at = restoreAt(this.#contest, nowSeconds, maxRestoresPerMinute);
    if (at <= nowSeconds) return true;
    this.dueSeconds = at;
    this.#view = { ...this.#view, state: "contested" };
    return false;
  }

  /** The limit is in force. */
  #settle(finding: Known, nowSeconds: number): void {
    this.#rightBytes = finding.wantedBytes;
    this.#told.delete("swap-limit-unmet");
    this.#told.delete("swap-limit-failed");
    this.#warnOfUsage(finding);
    if (!this.#isExact && this.appearedSeconds !== undefined)
      this.#listener.onExact(nowSeconds - this.appearedSeconds);
    this.#isExact = true;
    const wasContested = this.#contest.isContested;
    this.#contest = calmed(this.#contest, nowSeconds);
    if (this.#contest.isContested) this.dueSeconds = nowSeconds + MAX_RETRY_SECONDS;
    else if (wasContested) this.#tell("swap-limit-uncontested", {}, 0);
  }

  #warnOfUsage(finding: Known): void {
    if (finding.isBelowUsage) this.#tellOnce("swap-limit-below-usage", {}, 0);
    else this.#told.delete("swap-limit-below-usage");
  }

  // A container's levels go from the bottom up; its watch tells when they have.
  #isGone(error: unknown): boolean {
    const { own } = this.container.cgroup;
    return error instanceof SystemError && error.isMissing && !own.every((level) => existsSync(level));
  }

  #fail(error: Error, pods: PodIndex, nowSeconds: number): void {
    this.#failures += 1;
    this.dueSeconds = nowSeconds + Math.min(MAX_RETRY_SECONDS, 2 ** (this.#failures - 1));
    // A level that is just going may have lost its files first: the next look tells.
    if (this.#failures === 1 && error instanceof SystemError && error.isMissing) return;
    this.#view = { ...this.#view, ...this.#namesIn(pods), state: "failed" };
    this.#tellOnce("swap-limit-failed", { error: error.message }, 0);
  }

  /** Its names, for one of which no figure could be read. */
  #namesIn(pods: PodIndex): Pick<ContainerView, "namespace" | "pod" | "container"> {
    const pod = pods.get(this.container.podUid);
    const container = pod?.containers.find(({ id }) => id === this.container.containerId);
    return { namespace: pod?.namespace, pod: pod?.name, container: container?.name };
  }

  /** Tells what has changed since it was last told; figures that move all the time do not count. */
  #tellOnce(event: Event, fields: Fields, writes: number): void {
    const { reason, entitledBytes, effectiveBytes } = this.#view;
    const state = JSON.stringify([reason, String(entitledBytes), String(effectiveBytes), fields]);
    if (this.#told.get(event) === state && writes === 0) return;
    this.#told.set(event, state);
    this.#tell(event, fields, writes);
  }

  #tell(event: Event, fields: Fields, writes: number): void {
    const { id, namespace, pod, container, reason, entitledBytes, effectiveBytes, swapUsageBytes } =
      this.#view;
    const figures = { limitBytes: entitledBytes, ...fields, effectiveBytes, swapUsageBytes };
    this.#listener.onLimit(event, { id, namespace, pod, container, reason, ...figures }, writes);
  }
}

function viewOf(found: FoundContainer, finding: LimitFinding): ContainerView {
  const { id, podUid, effectiveBytes, swapUsageBytes } = found;
  const known = finding.action === "hold" ? undefined : finding;
  return {
    id,
    podUid,
    namespace: finding.pod?.namespace,
    pod: finding.pod?.name,
    container: known?.containerName,
    state: "held",
    reason: finding.action === "hold" ? finding.reason : finding.decision.reason,
    entitledBytes: known?.wantedBytes,
    effectiveBytes,
    swapUsageBytes,
  };
}
