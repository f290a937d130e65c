import type { V1PodList } from "@kubernetes/client-node";
import * as v from "valibot";
import type { Pod } from "../policy/kubernetes/pod.ts";
import type { FieldSchemas } from "./kubernetes-json.ts";

/** Pods of a node, and one message for each pod that could not be decoded. */
export interface PodList {
  readonly pods: readonly Pod[];
  readonly problems: readonly string[];
}

/** Separates pods from the messages about pods that could not be decoded. */
export function podListOf(decoded: readonly (Pod | string)[]): PodList {
  return {
    pods: decoded.filter((pod) => typeof pod !== "string"),
    problems: decoded.filter((pod) => typeof pod === "string"),
  };
}

/** PodList, with its pods not yet decoded. */
export const PodListSchema = v.object({
  kind: v.literal("PodList"),
  items: v.nullish(v.array(v.unknown())),
} satisfies FieldSchemas<V1PodList>);
