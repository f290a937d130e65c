import { setTimeout as sleep } from "node:timers/promises";
import type { ApiServer } from "../../cluster/api-server.ts";
import { getNode } from "../../cluster/node.ts";
import { removeSwapPressure, swapPressureStatus } from "../../cluster/node-condition.ts";
import { hasEvictions, removeEvictions } from "../../cluster/node-evictions.ts";
import { hasTaint, setTaint } from "../../cluster/node-taint.ts";
import { RequestError } from "../../cluster/request-error.ts";

// Of a node that starts, its network may come up later than its pods.
const ATTEMPTS = 10;
const RETRY_MILLISECONDS = 10_000;

/**
 * Takes away what agents that evicted have left on the node, its taint, condition and annotation, and nothing of others;
 * returns what it was. Fails with a RequestError where that is not granted, or after some minutes of trying.
 */
export async function removeLeftMarks(
  server: ApiServer,
  nodeName: string,
  closing: AbortSignal,
): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await remove(server, nodeName, closing);
    } catch (error) {
      if (closing.aborted || attempt === ATTEMPTS || !mayPass(error)) throw error;
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

function mayPass(error: unknown): boolean {
  return error instanceof RequestError && ["unreachable", "timeout", "status"].includes(error.kind);
}
