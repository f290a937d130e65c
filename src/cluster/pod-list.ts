import type { V1PodList } from "@kubernetes/client-node";
import * as v from "valibot";
import type { Pod } from "../policy/kubernetes/pod.ts";
import type { DecodedPod } from "./decode-pod.ts";
import type { FieldSchemas } from "./kubernetes-json.ts";

/** Pods of a node, and messages about invalid pods, and about figures of the others, that are left out. */
export interface PodList {
  readonly pods: readonly Pod[];
  readonly problems: readonly string[];
}

/** Separates pods from the messages about them. */
export function podListOf(decoded: readonly DecodedPod[]): PodList {
  return {
    pods: decoded.flatMap(({ pod }) => pod ?? []),
    problems: decoded.flatMap(({ problems }) => problems),
  };
}

/** PodList, with its pods not yet decoded. */
export const PodListSchema = v.object({
  kind: v.literal("PodList"),
  items: v.nullish(v.array(v.unknown())),
} satisfies FieldSchemas<V1PodList>);
