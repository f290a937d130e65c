import type { Pod, PodContainer } from "../kubernetes/pod.ts";

/**
 * Place of a running container's tasks: in its own cgroup, or not there although it exists, or its cgroup was not
 * found.
 */
export type ContainerPlace = "seen" | "empty" | "missing";

/** Container that a pod's status calls running, although no task was found in a cgroup of its own. */
export interface MissedContainer {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly id: string;
  readonly place: Exclude<ContainerPlace, "seen">;
  /** Time of the first look at which it was missed. */
  readonly sinceSeconds: number;
  /** Looks at which it was missed, without a break. */
  readonly looks: number;
}

/** Containers that were missed at a look. */
export interface Sight {
  readonly missed: ReadonlyMap<string, MissedContainer>;
  /** Number of containers that the pods' status calls running. */
  readonly running: number;
}

/** Sight before the first look. */
export const NO_SIGHT: Sight = { missed: new Map(), running: 0 };

/** Compares the containers that the pods' status calls running with those that were found. */
export function look(
  before: Sight,
  pods: Iterable<Pod>,
  placeOf: (id: string) => ContainerPlace,
  nowSeconds: number,
): Sight {
  const missed = new Map<string, MissedContainer>();
  let running = 0;
  // A mirror pod is there by two UIDs.
  for (const pod of new Set(pods)) {
    // The status of containers may be what it was when the node ended the pod.
    if (pod.phase === "Succeeded" || pod.phase === "Failed") continue;
    for (const container of pod.containers) {
      const { id, isRunning } = container;
      if (id === undefined || !isRunning) continue;
      running += 1;
      const place = placeOf(id);
      if (place === "seen") continue;
      const { sinceSeconds = nowSeconds, looks = 0 } = before.missed.get(id) ?? {};
      missed.set(id, { pod, container, id, place, sinceSeconds, looks: looks + 1 });
    }
  }
  return { missed, running };
}

// The status is older than the cgroups: a container that has just ended is called running for some seconds.
const LOOKS_UNTIL_UNSEEN = 3;
const LOOKS_UNTIL_SANDBOX = 2;
const SECONDS_UNTIL_SANDBOX = 3;

/** Returns the containers that were missed for so long that their status cannot simply be old. */
export function unseenIn({ missed }: Sight, nowSeconds: number, graceSeconds: number): MissedContainer[] {
  return [...missed.values()].filter(
    ({ looks, sinceSeconds }) => looks >= LOOKS_UNTIL_UNSEEN && nowSeconds - sinceSeconds >= graceSeconds,
  );
}

/**
 * Returns the pods whose containers are all in one sandbox, in the pod's cgroup or one below it (gvisor
 * runsc/container/container.go, setupCgroupForSubcontainer; kata-containers docs/design/host-cgroups.md): none of those that run has a task in a cgroup of its own,
 * and yet the pod has tasks. `before` are the UIDs of the pods that were: while a container restarts, they still are.
 */
export function sandboxedIn(
  { missed }: Sight,
  pods: Iterable<Pod>,
  before: ReadonlySet<string>,
  nowSeconds: number,
  hasSandbox: (pod: Pod) => boolean,
): Pod[] {
  return [...new Set(pods)].filter((pod) => {
    const running = pod.containers.filter(({ id, isRunning }) => id !== undefined && isRunning);
    const missedOnes = running.map(({ id = "" }) => missed.get(id));
    if (missedOnes.includes(undefined)) return false;
    if (before.has(pod.uid)) return true;
    const isLong = missedOnes.every((one) => one !== undefined && isMissedLong(one, nowSeconds));
    return running.length > 0 && isLong && hasSandbox(pod);
  });
}

function isMissedLong({ looks, sinceSeconds }: MissedContainer, nowSeconds: number): boolean {
  return looks >= LOOKS_UNTIL_SANDBOX && nowSeconds - sinceSeconds >= SECONDS_UNTIL_SANDBOX;
}

/** Returns true if most of the containers that run are unseen: not one odd container, but the node's whole layout. */
export function isBlind(unseen: number, running: number): boolean {
  return 2 * unseen > running;
}
