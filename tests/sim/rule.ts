import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import type { RunningPod } from "./pod.ts";

/** A rule of evicting that is asked once a second, and acts by the pods that it names. */
export interface ClosedLoopRule {
  /** Returns the UID of the pod to evict now; undefined for nobody. */
  decide(snapshot: Snapshot): string | undefined;
  /** Is given the API server's answer to the last eviction that it asked for. */
  answer(uid: string, answer: RunningPod["plan"]["answer"]): void;
}
