import type { V1NodeCondition } from "@kubernetes/client-node";
import type { ApiServer } from "./api-server.ts";
import type { Json } from "./kubernetes-json.ts";
import { getNode, type Node, type NodeCondition, nodePath } from "./node.ts";
import { parseTimestamp, timestamp } from "./timestamp.ts";

/** Node condition `SwapPressure`: True while the node's pods stall because of swap. */
export interface SwapPressure {
  /** Unknown once the agent has ended, or if it lacks data. */
  readonly status: "True" | "False" | "Unknown";
  /** One word in CamelCase. */
  readonly reason: string;
  /** Text for humans. */
  readonly message: string;
}

const SWAP_PRESSURE = "SwapPressure";

/** Returns the status of a node's condition `SwapPressure`, even one that others have set; undefined without it. */
export function swapPressureStatus(node: Node): string | undefined {
  return conditionOf(node)?.status;
}

/** Returns the time since when a node's condition `SwapPressure` is True, in milliseconds since 1970; undefined if it is not. */
export function swapPressureSince(node: Node): number | undefined {
  const { status, lastTransitionTime } = conditionOf(node) ?? {};
  return status === "True" ? parseTimestamp(lastTransitionTime ?? "") : undefined;
}

/**
 * Sets the node's condition `SwapPressure` and no other; an unchanged status keeps its transition time. Needs the
 * permissions to get nodes and to patch nodes/status. Rejects with a RequestError.
 */
export async function setSwapPressure(
  server: ApiServer,
  nodeName: string,
  { status, reason, message }: SwapPressure,
  nowMilliseconds: number,
  closing: AbortSignal,
): Promise<void> {
  const now = timestamp(nowMilliseconds);
  const before = conditionOf(await getNode(server, nodeName, closing));
  const since = before?.status === status ? before.lastTransitionTime : undefined;
  const times = { lastHeartbeatTime: now, lastTransitionTime: since ?? now };
  await patchCondition(server, nodeName, { type: SWAP_PRESSURE, status, reason, message, ...times }, closing);
}

/** Removes the condition `SwapPressure`; needs the permission to patch nodes/status. Rejects with a RequestError. */
export async function removeSwapPressure(
  server: ApiServer,
  nodeName: string,
  closing: AbortSignal,
): Promise<void> {
  await patchCondition(server, nodeName, { $patch: "delete", type: SWAP_PRESSURE }, closing);
}

function conditionOf({ conditions }: Node): NodeCondition | undefined {
  return conditions.find(({ type }) => type === SWAP_PRESSURE);
}

/** Element of a strategic merge patch that removes the condition of its type. */
interface ConditionRemoval extends Pick<V1NodeCondition, "type"> {
  readonly $patch: "delete";
}

// A strategic merge patch merges conditions by their types; a JSON merge patch would remove all others
// (kubernetes staging/src/k8s.io/api/core/v1/types.go, NodeStatus).
async function patchCondition(
  server: ApiServer,
  nodeName: string,
  condition: Json<V1NodeCondition> | ConditionRemoval,
  closing: AbortSignal,
): Promise<void> {
  await server.write(
    {
      method: "PATCH",
      path: nodePath(nodeName, "status"),
      contentType: "application/strategic-merge-patch+json",
      body: { status: { conditions: [condition] } },
    },
    closing,
  );
}
