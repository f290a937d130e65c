import { type DecodedPod, decodePod, uidOf } from "./decode-pod.ts";
import { type PodList, podListOf } from "./pod-list.ts";

/** Pods that lists and watch events of the API server add and remove one by one; only the fields that decisions need are kept. */
export class PodSet {
  /** By UID; one message for all pods without a UID is enough. */
  readonly #pods = new Map<string, DecodedPod>();

  /** Pods of the set by their UIDs. */
  get decoded(): ReadonlyMap<string, DecodedPod> {
    return this.#pods;
  }

  /** Adds decoded pods, or replaces them. */
  putAll(pods: Iterable<DecodedPod>): void {
    for (const decoded of pods) this.#pods.set(decoded.uid, decoded);
  }

  /** Adds a pod, or replaces it. */
  put(item: unknown): void {
    this.putAll([decodePod(item, "a pod without a name", "api-server")]);
  }

  /** Removes a pod, if it is in the set. */
  remove(item: unknown): void {
    this.#pods.delete(uidOf(item));
  }

  /** Returns all pods of the set. */
  list(): PodList {
    return podListOf([...this.#pods.values()]);
  }
}
