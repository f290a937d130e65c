// The system level of Katalyst's memory eviction with its defaults (kubewharf/katalyst-core,
// pkg/agent/evictionmanager/plugin/memory/system_pressure.go and
// cmd/katalyst-agent/app/options/eviction/memory_pressure_eviction.go), for comparison only.

import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import type { Pod } from "../../src/policy/kubernetes/pod.ts";
import type { ClosedLoopRule } from "../sim/rule.ts";

const SYNC_SECONDS = 9;
const COOLDOWN_SECONDS = 35;
const WORKLOAD_SOME_PERCENT = 15;
const POD_SOME_PERCENT = 1;
const LEAST_PODS = 3;
const AVERAGE_SOME_PERCENT = 4;
// After 15 s it evicts pods of its own class "reclaimed", which a cluster without Katalyst does not have.
const ANY_POD_SECONDS = 45;

/** Decides as Katalyst does for a node: many pods stalled for long. */
export class KatalystRule implements ClosedLoopRule {
  #nextLookSeconds = Number.NEGATIVE_INFINITY;
  #stalledSinceSeconds: number | undefined;
  #quietUntilSeconds = Number.NEGATIVE_INFINITY;

  decide(snapshot: Snapshot): string | undefined {
    const { atSeconds } = snapshot;
    if (atSeconds < this.#nextLookSeconds) return undefined;
    this.#nextLookSeconds = atSeconds + SYNC_SECONDS;
    if (!this.#isDue(snapshot) || atSeconds < this.#quietUntilSeconds) return undefined;
    this.#quietUntilSeconds = atSeconds + COOLDOWN_SECONDS;
    return byPriorityAndMemory(snapshot)?.uid;
  }

  answer(): void {}

  #isDue({ atSeconds, kubepods, podSamples }: Snapshot): boolean {
    if ((kubepods?.memoryPressure?.some.avg10Percent ?? 0) < WORKLOAD_SOME_PERCENT) {
      this.#stalledSinceSeconds = undefined;
      return false;
    }
    const percents = podSamples.map(({ memoryPressure }) => memoryPressure?.some.avg10Percent ?? 0);
    if (percents.filter((percent) => percent > POD_SOME_PERCENT).length < LEAST_PODS) return false;
    const average = percents.reduce((sum, percent) => sum + percent, 0) / percents.length;
    if (average < AVERAGE_SOME_PERCENT) return false;
    this.#stalledSinceSeconds ??= atSeconds;
    return atSeconds - this.#stalledSinceSeconds >= ANY_POD_SECONDS;
  }
}

/** Returns the running pod with the lowest priority, and of these the one with the most memory. */
function byPriorityAndMemory({ pods, podSamples }: Snapshot): Pod | undefined {
  const memoryBytes = new Map(podSamples.map((sample) => [sample.podUid, sample.memoryBytes]));
  const running = pods.filter(({ uid }) => memoryBytes.has(uid));
  const compare = (a: Pod, b: Pod) =>
    (a.priority ?? 0) - (b.priority ?? 0) || (memoryBytes.get(b.uid) ?? 0) - (memoryBytes.get(a.uid) ?? 0);
  return running.toSorted(compare)[0];
}
