import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import type { RunningPod } from "./pod.ts";

/** An eviction rule that decides once a second. */
export interface ClosedLoopRule {
  /** Returns the UID of the pod to evict now; undefined for none. */
  decide(snapshot: Snapshot): string | undefined;
  /** Receives the API server's answer to its last eviction. */
  answer(uid: string, answer: RunningPod["plan"]["answer"]): void;
}
