// systemd-oomd's defaults (systemd src/oom/oomd-manager.h, oomd.conf(5)), for comparison only.
import type { ContainerSample, Snapshot } from "../../src/policy/eviction/snapshot.ts";
import type { Decision } from "./rules.ts";

const PRESSURE_LIMIT_PERCENT = 60;
const PRESSURE_SECONDS = 30;
const USED_LIMIT = 0.9;
const LEAST_SWAP_SHARE = 0.05;

/** Decides as systemd-oomd does: all of kubepods stalled for long, or swap and memory both nearly used up. */
export function decideAsOomd(snapshots: readonly Snapshot[]): Decision | undefined {
  let stalledSinceSeconds: number | undefined;
  for (const snapshot of snapshots) {
    const { atSeconds } = snapshot;
    stalledSinceSeconds = isStalled(snapshot) ? (stalledSinceSeconds ?? atSeconds) : undefined;
    if (isUsedUp(snapshot)) return decisionOf(snapshot, bySwap(snapshot));
    if (stalledSinceSeconds !== undefined && atSeconds - stalledSinceSeconds >= PRESSURE_SECONDS)
      return decisionOf(snapshot, byMemory(snapshot));
  }
  return undefined;
}

function isStalled({ kubepods }: Snapshot): boolean {
  return (kubepods?.memoryPressure?.full?.avg10Percent ?? 0) > PRESSURE_LIMIT_PERCENT;
}

function isUsedUp({ node }: Snapshot): boolean {
  const { swapTotalBytes, swapFreeBytes, memoryTotalBytes, memoryAvailableBytes } = node;
  const isSwapUsedUp = swapTotalBytes - swapFreeBytes > USED_LIMIT * swapTotalBytes;
  return isSwapUsedUp && memoryTotalBytes - memoryAvailableBytes > USED_LIMIT * memoryTotalBytes;
}

function bySwap({ containers, node }: Snapshot): ContainerSample | undefined {
  const worthwhile = containers.filter(({ swapBytes }) => swapBytes > LEAST_SWAP_SHARE * node.swapTotalBytes);
  return worthwhile.toSorted((a, b) => b.swapBytes - a.swapBytes)[0];
}

function byMemory({ containers }: Snapshot): ContainerSample | undefined {
  return containers.toSorted((a, b) => b.memoryBytes - a.memoryBytes)[0];
}

function decisionOf({ atSeconds, pods }: Snapshot, container: ContainerSample | undefined): Decision {
  const pod = pods.find(({ uid }) => uid === container?.podUid);
  return { atSeconds, victim: pod && `${pod.namespace}/${pod.name}` };
}
