// systemd-oomd's defaults (systemd src/oom/oomd-manager.h, oomd.conf(5)), for comparison only.
import type { ContainerSample, Snapshot } from "../../src/policy/eviction/snapshot.ts";
import type { ClosedLoopRule } from "../sim/rule.ts";

const PRESSURE_LIMIT_PERCENT = 60;
const PRESSURE_SECONDS = 30;
const USED_LIMIT_FRACTION = 0.9;
const LEAST_SWAP_FRACTION = 0.05;
const COOLDOWN_SECONDS = 15;

/** Decides as systemd-oomd does: kubepods stalled for long, or swap and memory both nearly used up. */
export class OomdRule implements ClosedLoopRule {
  #stalledSinceSeconds: number | undefined;
  #quietUntilSeconds = Number.NEGATIVE_INFINITY;

  decide(snapshot: Snapshot): string | undefined {
    const { atSeconds } = snapshot;
    this.#stalledSinceSeconds = isStalled(snapshot) ? (this.#stalledSinceSeconds ?? atSeconds) : undefined;
    if (atSeconds < this.#quietUntilSeconds) return undefined;
    const isDue = atSeconds - (this.#stalledSinceSeconds ?? atSeconds) >= PRESSURE_SECONDS;
    if (!isUsedUp(snapshot) && !isDue) return undefined;
    this.#quietUntilSeconds = atSeconds + COOLDOWN_SECONDS;
    return (isUsedUp(snapshot) ? bySwap(snapshot) : byMemory(snapshot))?.podUid;
  }

  answer(): void {}
}

function isStalled({ kubepods }: Snapshot): boolean {
  return (kubepods?.memoryPressure?.full?.avg10Percent ?? 0) > PRESSURE_LIMIT_PERCENT;
}

function isUsedUp({ node }: Snapshot): boolean {
  const { swapTotalBytes, swapFreeBytes, memoryTotalBytes, memoryAvailableBytes } = node;
  const isSwapUsedUp = swapTotalBytes - swapFreeBytes > USED_LIMIT_FRACTION * swapTotalBytes;
  return isSwapUsedUp && memoryTotalBytes - memoryAvailableBytes > USED_LIMIT_FRACTION * memoryTotalBytes;
}

function bySwap({ containers, node }: Snapshot): ContainerSample | undefined {
  const leastBytes = LEAST_SWAP_FRACTION * node.swapTotalBytes;
  const worthwhile = containers.filter(({ swapBytes }) => swapBytes > leastBytes);
  return worthwhile.toSorted((a, b) => b.swapBytes - a.swapBytes)[0];
}

function byMemory({ containers }: Snapshot): ContainerSample | undefined {
  return containers.toSorted((a, b) => b.memoryBytes - a.memoryBytes)[0];
}
