import type { ApiServer } from "./api-server.ts";
import { getNode, type Node, nodePath } from "./node.ts";
import { timestamp } from "./timestamp.ts";

/** What the node condition `SwapPressure` says: whether swapping hurts. */
export interface SwapPressure {
  /** Unknown when the agent ends, or cannot tell. */
  readonly status: "True" | "False" | "Unknown";
  /** One word in CamelCase. */
  readonly reason: string;
  /** For humans. */
  readonly message: string;
}

const SWAP_PRESSURE = "SwapPressure";

/** The status of a node's condition `SwapPressure`, or whatever others made of it; undefined where there is none. */
export function swapPressureStatus({ conditions }: Node): string | undefined {
  return conditions.find(({ type }) => type === SWAP_PRESSURE)?.status;
}

/**
 * Sets the node's condition `SwapPressure`, as of now, and leaves all others alone; it keeps since when its status is
 * what it is. Needs the permissions to get nodes and to patch nodes/status. Fails with a RequestError.
 */
export async function setSwapPressure(
  server: ApiServer,
  nodeName: string,
  { status, reason, message }: SwapPressure,
  nowMilliseconds: number,
  closing: AbortSignal,
): Promise<void> {
  const now = timestamp(nowMilliseconds);
  const { conditions } = await getNode(server, nodeName, closing);
  const before = conditions.find(({ type }) => type === SWAP_PRESSURE);
  const since = before?.status === status ? before.lastTransitionTime : undefined;
  const condition = {
    type: SWAP_PRESSURE,
    status,
    reason,
    message,
    lastHeartbeatTime: now,
    lastTransitionTime: since ?? now,
  };
  await patchCondition(server, nodeName, condition, closing);
}

/** Takes the node's condition `SwapPressure` away; needs the permission to patch nodes/status. Fails with a RequestError. */
export async function removeSwapPressure(
  server: ApiServer,
  nodeName: string,
  closing: AbortSignal,
): Promise<void> {
  await patchCondition(server, nodeName, { $patch: "delete", type: SWAP_PRESSURE }, closing);
}

// A strategic merge takes conditions one by one, by their types; a plain merge would leave this one only
// (kubernetes staging/src/k8s.io/api/core/v1/types.go, NodeStatus).
async function patchCondition(
  server: ApiServer,
  nodeName: string,
  condition: object,
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
