import { setTimeout as sleep } from "node:timers/promises";
import type { V1Node, V1Taint } from "@kubernetes/client-node";
import { backoffMilliseconds } from "../policy/backoff.ts";
import type { ApiServer } from "./api-server.ts";
import type { Json } from "./kubernetes-json.ts";
import { getNode, type Node, nodePath, type Taint } from "./node.ts";
import { mergePatch } from "./request.ts";
import { RequestError } from "./request-error.ts";

/** Effects of the taint `wasp.io/swap-pressure`; none of them evicts a running pod. */
export const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule"] as const;

/** Taint `wasp.io/swap-pressure`, of which a node has one at most. */
export interface SwapPressureTaint {
  readonly effect: (typeof TAINT_EFFECTS)[number];
  readonly value?: string;
}

const TAINT_KEY = "wasp.io/swap-pressure";
const MAX_ATTEMPTS = 6;
const BACKOFF = { firstMilliseconds: 50, maxMilliseconds: 1000 };

/**
 * Sets wasp's taint of the node, or removes it if undefined, and keeps taints that others set at the same time. Returns
 * true if the node had to be changed. Needs the permissions to get and to patch nodes. Rejects with a RequestError,
 * after several attempts if others keep changing the node.
 */
export async function setTaint(
  server: ApiServer,
  nodeName: string,
  wanted: SwapPressureTaint | undefined,
  closing: AbortSignal,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await setTaintOnce(server, nodeName, wanted, closing);
    } catch (error) {
      const isConflict = error instanceof RequestError && error.refusal?.status === 409;
      if (!isConflict || attempt === MAX_ATTEMPTS) throw error;
    }
    const pauseMilliseconds = backoffMilliseconds(attempt, Math.random(), BACKOFF);
    await sleep(pauseMilliseconds, undefined, { signal: closing }).catch(() => {});
  }
}

/** Returns true if this taint is the node's only one of wasp, or if it has none and undefined is wanted. */
export function hasTaint({ taints }: Node, wanted: SwapPressureTaint | undefined): boolean {
  const own = taints.filter(isOwn);
  return wanted === undefined ? own.length === 0 : own.length === 1 && isSame(own[0], wanted);
}

async function setTaintOnce(
  server: ApiServer,
  nodeName: string,
  wanted: SwapPressureTaint | undefined,
  closing: AbortSignal,
): Promise<boolean> {
  const node = await getNode(server, nodeName, closing);
  const { taints, resourceVersion } = node;
  if (hasTaint(node, wanted)) return false;
  const others = taints.filter((taint) => !isOwn(taint));
  const own = wanted === undefined ? [] : [{ key: TAINT_KEY, ...wanted } satisfies Json<V1Taint>];
  // A patch replaces the whole list of taints; with the resource version that was read, the API server refuses it if
  // the node has changed since.
  const body = { metadata: { resourceVersion }, spec: { taints: [...others, ...own] } };
  await server.write(mergePatch<V1Node>(nodePath(nodeName), body), closing);
  return true;
}

function isOwn({ key }: Taint): boolean {
  return key === TAINT_KEY;
}

function isSame(taint: Taint | undefined, wanted: SwapPressureTaint): boolean {
  return taint?.effect === wanted.effect && (taint.value || undefined) === (wanted.value || undefined);
}
