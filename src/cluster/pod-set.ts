import * as v from "valibot";
import type { Pod } from "../policy/kubernetes/pod.ts";
import { decodePod, type PodList, podListOf } from "./pod-list.ts";

const IdentitySchema = v.object({ metadata: v.object({ uid: v.string() }) });

/** Pods as lists and events tell of them one by one; of each only what decisions look at is kept. */
export class PodSet {
  /** By UID, the pod, or the sentence that says why it could not be understood. */
  readonly #pods = new Map<string, Pod | string>();

  /** Takes in a pod, in the place of what it was before. */
  put(item: unknown): void {
    const pod = decodePod(item, "a pod without a name");
    this.#pods.set(uidOf(item), pod);
  }

  /** Lets go of a pod, if it is there. */
  remove(item: unknown): void {
    this.#pods.delete(uidOf(item));
  }

  /** All of them, as they are now. */
  list(): PodList {
    return podListOf([...this.#pods.values()]);
  }
}

// Without one a pod cannot be understood either: of such, one sentence is enough.
function uidOf(item: unknown): string {
  const result = v.safeParse(IdentitySchema, item);
  return result.success ? result.output.metadata.uid : "";
}
