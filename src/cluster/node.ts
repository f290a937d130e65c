import type {
  V1Node,
  V1NodeCondition,
  V1NodeSpec,
  V1NodeStatus,
  V1ObjectMeta,
  V1Taint,
} from "@kubernetes/client-node";
import * as v from "valibot";
import type { ApiServer } from "./api-server.ts";
import { decode } from "./decode.ts";
import type { FieldSchemas } from "./kubernetes-json.ts";

/** Node object, as far as the agent reads it. */
export interface Node {
  /** Changes with each change of the node. */
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Taints with all their fields, unknown ones included. */
  readonly taints: readonly Taint[];
  readonly conditions: readonly NodeCondition[];
}

/** Taint of a node; there is one at most for each key and effect. */
export type Taint = Readonly<v.InferOutput<typeof TaintSchema>>;

/** Condition of a node; there is one at most of each type. */
export type NodeCondition = Readonly<v.InferOutput<typeof ConditionSchema>>;

/** Path of a node at the API server, or of its status. */
export function nodePath(nodeName: string, ...subresource: readonly "status"[]): string {
  return `/api/v1/nodes/${[nodeName, ...subresource].map(encodeURIComponent).join("/")}`;
}

/** Reads the node from the API server; needs the permission to get nodes. Rejects with a RequestError. */
export async function getNode(server: ApiServer, nodeName: string, closing: AbortSignal): Promise<Node> {
  return await server.read(nodePath(nodeName), decodeNode, closing);
}

/** Decodes a node from JSON text or a value parsed from it; throws an Error if it is malformed. */
export function decodeNode(input: unknown): Node {
  const { metadata, spec, status } = decode(NodeSchema, input, "a Node");
  return {
    resourceVersion: metadata.resourceVersion,
    annotations: metadata.annotations ?? {},
    taints: spec?.taints ?? [],
    conditions: status?.conditions ?? [],
  };
}

const MetadataSchema = v.object({
  resourceVersion: v.string(),
  annotations: v.nullish(v.record(v.string(), v.string())),
} satisfies FieldSchemas<V1ObjectMeta>);

const TaintSchema = v.looseObject({
  key: v.string(),
  effect: v.string(),
  value: v.nullish(v.string()),
} satisfies FieldSchemas<V1Taint>);

const ConditionSchema = v.object({
  type: v.string(),
  // `True`, `False` or `Unknown`.
  status: v.string(),
  lastTransitionTime: v.nullish(v.string()),
} satisfies FieldSchemas<V1NodeCondition>);

const NodeSchema = v.object({
  kind: v.literal("Node"),
  metadata: MetadataSchema,
  spec: v.nullish(v.object({ taints: v.nullish(v.array(TaintSchema)) } satisfies FieldSchemas<V1NodeSpec>)),
  status: v.nullish(
    v.object({ conditions: v.nullish(v.array(ConditionSchema)) } satisfies FieldSchemas<V1NodeStatus>),
  ),
} satisfies FieldSchemas<V1Node>);
