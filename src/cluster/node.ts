import * as v from "valibot";
import type { ApiServer } from "./api-server.ts";
import { decode } from "./decode.ts";

/** What the agent says of its node, and what others say beside it. */
export interface Node {
  /** Changes whenever anything of the node does. */
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** All that each of them holds, known here or not. */
  readonly taints: readonly Taint[];
  readonly conditions: readonly NodeCondition[];
}

/** What keeps pods away from a node; there may be one for each key and effect. */
export interface Taint {
  readonly key: string;
  readonly effect: string;
  readonly value?: string | null | undefined;
}

/** One of the node's conditions; there is one of each type. */
export interface NodeCondition {
  readonly type: string;
  /** `True`, `False` or `Unknown`. */
  readonly status: string;
  /** Since when the status is what it is. */
  readonly lastTransitionTime?: string | null | undefined;
}

/** The path of a node at the API server, or of its status. */
export function nodePath(nodeName: string, ...subresource: readonly "status"[]): string {
  return `/api/v1/nodes/${[nodeName, ...subresource].map(encodeURIComponent).join("/")}`;
}

/** The node as the API server has it now; needs the permission to get nodes. Fails with a RequestError. */
export async function getNode(server: ApiServer, nodeName: string, closing: AbortSignal): Promise<Node> {
  return await server.read(nodePath(nodeName), decodeNode, closing);
}

function decodeNode(text: string): Node {
  const { metadata, spec, status } = decode(NodeSchema, text, "a Node");
  return {
    resourceVersion: metadata.resourceVersion,
    annotations: metadata.annotations ?? {},
    taints: spec?.taints ?? [],
    conditions: status?.conditions ?? [],
  };
}

const NodeSchema = v.object({
  kind: v.literal("Node"),
  metadata: v.object({
    resourceVersion: v.string(),
    annotations: v.nullish(v.record(v.string(), v.string())),
  }),
  spec: v.nullish(
    v.object({
      taints: v.nullish(
        v.array(v.looseObject({ key: v.string(), effect: v.string(), value: v.nullish(v.string()) })),
      ),
    }),
  ),
  status: v.nullish(
    v.object({
      conditions: v.nullish(
        v.array(
          v.object({ type: v.string(), status: v.string(), lastTransitionTime: v.nullish(v.string()) }),
        ),
      ),
    }),
  ),
});
