import type { ContainerCgroup } from "../../host/container-cgroup.ts";
import { hasSandbox, placeOfContainer } from "../../host/container-place.ts";
import { findContainersById, type KubepodsContainer, scanPods } from "../../host/kubepods.ts";
import type { NodeContainers } from "../../host/node-containers.ts";
import type { Fields } from "../../log/events.ts";
import type { Pod } from "../../policy/kubernetes/pod.ts";
import { parseLooseContainer, podUidOfCgroup } from "../../policy/kubernetes/pod-cgroup.ts";
import type { PodIndex } from "../../policy/limits/reconcile.ts";
import {
  isBlind,
  look,
  type MissedContainer,
  NO_SIGHT,
  type Sight,
  sandboxedIn,
  unseenIn,
} from "../../policy/limits/sight.ts";
import type { ContainerView } from "../metrics/view.ts";
import type { LimitAgentListener } from "./limit-context.ts";
import type { LimitKeeper } from "./limit-keeper.ts";

/** Options of a ContainerSight. */
export interface ContainerSightOptions {
  readonly fsroot: string;
  readonly keeper: LimitKeeper;
  readonly listener: Pick<LimitAgentListener, "log">;
  /** Time after which a container that is said to run, and was not found, counts as unseen. */
  readonly unseenSeconds?: number;
  /** Clock in seconds that never jumps. */
  readonly nowSeconds: () => number;
}

// The kubelet's status of a container that has ended is seconds old.
const UNSEEN_SECONDS = 15;
// A search visits the upper levels of the whole hierarchy; most find nothing, because the container has just ended.
const FIRST_SEARCHES = 3;
const SEARCH_SECONDS = 60;

/**
 * Finds the containers that the node's pods are said to run and that the watch of kubepods does not show: elsewhere in the
 * hierarchy, in the sandbox of their pod, or nowhere, which it reports.
 */
export class ContainerSight {
  readonly #options: ContainerSightOptions;
  /** Names of the unseen containers that were reported, by their ids. */
  readonly #reported = new Map<string, Fields>();
  /** Containers that were found by their ids alone. */
  readonly #strays = new Map<string, KubepodsContainer>();
  readonly #sandboxed = new Set<string>();
  #pods: PodIndex | undefined;
  #sight: Sight = NO_SIGHT;
  #unseen: readonly MissedContainer[] = [];
  #lookedSeconds = Number.NEGATIVE_INFINITY;
  #searchedSeconds = Number.NEGATIVE_INFINITY;

  constructor(options: ContainerSightOptions) {
    this.#options = options;
  }

  /** Sets the node's pods; undefined while they may be out of date. */
  setPods(pods: PodIndex | undefined): void {
    this.#pods = pods;
  }

  /**
   * Compares the pods with the containers that were found, unless it has within these seconds; does nothing while the pods
   * may be out of date.
   */
  look(containers: NodeContainers | undefined, withinSeconds = 0): void {
    const pods = this.#pods;
    const now = this.#options.nowSeconds();
    if (pods === undefined || containers === undefined || now - this.#lookedSeconds < withinSeconds) return;
    this.#lookedSeconds = now;
    this.#forgetStrays();
    this.#sight = look(this.#sight, pods.values(), (id) => this.#placeOf(id), now);
    if (this.#isSearchDue(now)) this.#search(containers, now);
    this.#keepSandboxes(pods, containers, now);
    const unseen = unseenIn(this.#sight, now, this.#options.unseenSeconds ?? UNSEEN_SECONDS);
    this.#unseen = unseen.filter(({ pod }) => !this.#sandboxed.has(pod.uid));
    this.#report();
  }

  /** True while containers are missed that may soon be seen, or count as unseen. */
  get isUncertain(): boolean {
    return [...this.#sight.missed.values()].some(
      ({ id, pod }) => !this.#sandboxed.has(pod.uid) && !this.#unseen.some((unseen) => unseen.id === id),
    );
  }

  /** Returns the numbers of unseen and of running containers if most are unseen; undefined otherwise. */
  get blindness(): { readonly unseen: number; readonly running: number } | undefined {
    const [unseen, { running }] = [this.#unseen.length, this.#sight];
    return isBlind(unseen, running) ? { unseen, running } : undefined;
  }

  /** Returns the views of containers with those of the unseen ones in the place of their own. */
  withUnseen(views: readonly ContainerView[]): ContainerView[] {
    const ids = new Set(this.#unseen.map(({ id }) => id));
    return [...views.filter(({ id }) => !ids.has(id)), ...this.#unseen.map(viewOf)];
  }

  #placeOf(id: string) {
    const container = this.#options.keeper.containerOf(id);
    return container === undefined ? "missing" : placeOfContainer(container.cgroup);
  }

  #isSearchDue(now: number): boolean {
    const missing = [...this.#sight.missed.values()].filter(({ place }) => place === "missing");
    return (
      missing.some(({ looks }) => looks <= FIRST_SEARCHES) ||
      (missing.length > 0 && now - this.#searchedSeconds >= SEARCH_SECONDS)
    );
  }

  #search(containers: NodeContainers, now: number): void {
    const { fsroot, keeper } = this.#options;
    this.#searchedSeconds = now;
    const missed = [...this.#sight.missed.values()].filter(({ place }) => place === "missing");
    // A shorter one may be in the name of a cgroup that is no container's.
    const ids = new Set(missed.flatMap(({ id }) => (/^[0-9a-f]{32,}$/.test(id) ? id : [])));
    const known = new Set(keeper.kubepodsContainers().flatMap(({ cgroup }) => cgroup.own.at(-1) ?? []));
    const found = findContainersById(fsroot, ids, known);
    const isLoose = [...found.values()].some(({ own: [directory = ""] }) => {
      return parseLooseContainer(directory.slice(directory.lastIndexOf("/") + 1)) !== undefined;
    });
    // Its parent is watched from now on, with all other containers in it.
    if (isLoose) containers.sweep();
    for (const { id, pod } of missed) {
      const cgroup = found.get(id);
      if (cgroup === undefined || keeper.containerOf(id) !== undefined || !mayBeIn(pod, cgroup)) continue;
      const stray = { podUid: pod.uid, qosClass: pod.qosClass ?? "Burstable", containerId: id, cgroup };
      this.#strays.set(id, stray);
      keeper.add(stray, true);
    }
    const isNowSeen = (id: string) => this.#placeOf(id) === "seen";
    const stillMissed = [...this.#sight.missed].filter(([id]) => !isNowSeen(id));
    this.#sight = { ...this.#sight, missed: new Map(stillMissed) };
  }

  #forgetStrays(): void {
    for (const [id, { cgroup }] of this.#strays) {
      if (placeOfContainer(cgroup) !== "missing") continue;
      this.#strays.delete(id);
      this.#options.keeper.remove(id);
    }
  }

  #keepSandboxes(pods: PodIndex, containers: NodeContainers, now: number): void {
    const { keeper } = this.#options;
    if (this.#sight.missed.size === 0 && this.#sandboxed.size === 0) return;
    const cgroups = new Map(containers.kubepods.flatMap(scanPods).map((one) => [one.podUid, one]));
    // A static pod's is named after its hash, which the API server has in an annotation.
    const cgroupOf = ({ uid, annotations }: Pod) =>
      cgroups.get(uid) ?? cgroups.get(annotations["kubernetes.io/config.mirror"] ?? "");
    const hasSandboxIn = (pod: Pod) => {
      const found = cgroupOf(pod);
      return found !== undefined && hasSandbox(found.cgroup);
    };
    const sandboxed = sandboxedIn(this.#sight, pods.values(), this.#sandboxed, now, hasSandboxIn);
    const before = new Set(this.#sandboxed);
    this.#sandboxed.clear();
    for (const pod of sandboxed) {
      const found = cgroupOf(pod);
      if (found === undefined) continue;
      this.#sandboxed.add(pod.uid);
      if (!before.has(pod.uid))
        keeper.add({ ...found, podUid: pod.uid, containerId: pod.uid, isSandbox: true }, false);
    }
    for (const uid of before) if (!this.#sandboxed.has(uid)) keeper.release(uid);
  }

  #report(): void {
    const { log } = this.#options.listener;
    const now = new Set(this.#unseen.map(({ id }) => id));
    for (const { id, pod, container, place } of this.#unseen) {
      if (this.#reported.has(id)) continue;
      const names = { id, namespace: pod.namespace, pod: pod.name, container: container.name };
      this.#reported.set(id, names);
      log("container-unseen", { ...names, place }, 0);
    }
    for (const [id, names] of this.#reported) {
      if (now.has(id)) continue;
      this.#reported.delete(id);
      log("container-seen", names, 0);
    }
  }
}

function viewOf({ id, pod, container, place }: MissedContainer): ContainerView {
  return {
    id,
    podUid: pod.uid,
    namespace: pod.namespace,
    pod: pod.name,
    container: container.name,
    state: "unseen",
    reason: place === "missing" ? "no-cgroup" : "no-process",
    entitledBytes: undefined,
    effectiveBytes: undefined,
    swapUsageBytes: undefined,
  };
}

/** Returns true unless a cgroup is in that of another pod, which a status may claim. */
function mayBeIn(pod: Pod, { ancestors }: ContainerCgroup): boolean {
  const uid = ancestors.map(podUidOfCgroup).find((found) => found !== undefined);
  return uid === undefined || uid === pod.uid || uid === pod.annotations["kubernetes.io/config.mirror"];
}
