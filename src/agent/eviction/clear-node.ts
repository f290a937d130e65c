import { setTimeout as sleep } from "node:timers/promises";
import type { ApiServer } from "../../cluster/api-server.ts";
import { getNode } from "../../cluster/node.ts";
import { removeSwapPressure, swapPressureStatus } from "../../cluster/node-condition.ts";
import { hasEvictions, removeEvictions } from "../../cluster/node-evictions.ts";
import { hasTaint, setTaint } from "../../cluster/node-taint.ts";
import { RequestError } from "../../cluster/request-error.ts";

// On a starting node, the network may come up later than its pods.
const MAX_ATTEMPTS = 10;
const RETRY_MILLISECONDS = 10_000;

/**
 * Removes the taint, condition and annotation that evicting agents have left on the node; returns which of them it had.
 * Fails with a RequestError if that is forbidden, or after some minutes of attempts.
 */
export async function clearNode(
  server: ApiServer,
  nodeName: string,
  closing: AbortSignal,
): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await remove(server, nodeName, closing);
    } catch (error) {
      if (closing.aborted || attempt === MAX_ATTEMPTS || !isTransient(error)) throw error;
    }
    await sleep(RETRY_MILLISECONDS, undefined, { signal: closing }).catch(() => {});
  }
}

async function remove(server: ApiServer, nodeName: string, closing: AbortSignal): Promise<readonly string[]> {
  const node = await getNode(server, nodeName, closing);
  const isTainted = !hasTaint(node, undefined);
  const isConditioned = swapPressureStatus(node) !== undefined;
  const isAnnotated = hasEvictions(node);
  if (isTainted) await setTaint(server, nodeName, undefined, closing);
  if (isConditioned) await removeSwapPressure(server, nodeName, closing);
  if (isAnnotated) await removeEvictions(server, nodeName, closing);
  return [
    ...(isTainted ? ["taint"] : []),
    ...(isConditioned ? ["condition"] : []),
    ...(isAnnotated ? ["annotation"] : []),
  ];
}

function isTransient(error: unknown): boolean {
  return error instanceof RequestError && ["unreachable", "timeout", "status"].includes(error.kind);
}
