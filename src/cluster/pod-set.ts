import type { V1ObjectMeta, V1Pod } from "@kubernetes/client-node";
import * as v from "valibot";
import { type DecodedPod, decodePod } from "./decode-pod.ts";
import type { FieldSchemas } from "./kubernetes-json.ts";
import { type PodList, podListOf } from "./pod-list.ts";

const IdentitySchema = v.object({
  metadata: v.object({ uid: v.string() } satisfies FieldSchemas<V1ObjectMeta>),
} satisfies FieldSchemas<V1Pod>);

/** Pods that lists and watch events of the API server add and remove one by one; only the fields that decisions need are kept. */
export class PodSet {
  /** By UID. */
  readonly #pods = new Map<string, DecodedPod>();

  /** Adds a pod, or replaces it. */
  put(item: unknown): void {
    const pod = decodePod(item, "a pod without a name", "api-server");
    this.#pods.set(uidOf(item), pod);
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

// A pod without a UID cannot be decoded either: one message for all such pods is enough.
function uidOf(item: unknown): string {
  const result = v.safeParse(IdentitySchema, item);
  return result.success ? result.output.metadata.uid : "";
}
