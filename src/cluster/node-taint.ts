import { setTimeout as sleep } from "node:timers/promises";
import { backoffMilliseconds } from "../policy/backoff.ts";
import type { ApiServer } from "./api-server.ts";
import { getNode, type Node, nodePath, type Taint } from "./node.ts";
import { RequestError } from "./request-error.ts";

/** How strongly pods are kept away: those that run already may stay. */
export const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule"] as const;

/** The taint `wasp.io/swap-pressure`, of which there is one at most. */
export interface SwapPressureTaint {
  readonly effect: (typeof TAINT_EFFECTS)[number];
  readonly value?: string;
}

const KEY = "wasp.io/swap-pressure";
const ATTEMPTS = 6;
const BACKOFF = { firstMilliseconds: 50, maxMilliseconds: 1000 };

/**
 * Sees to it that the node has this taint of wasp's and no other, or none when it is undefined, whatever taints others
 * set at the same time; tells whether anything had to change. Needs the permissions to get and to patch nodes. Fails
 * with a RequestError, after several attempts if others keep changing the node.
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
      if (!isConflict || attempt === ATTEMPTS) throw error;
    }
    const pauseMilliseconds = backoffMilliseconds(attempt, Math.random(), BACKOFF);
    await sleep(pauseMilliseconds, undefined, { signal: closing }).catch(() => {});
  }
}

/** Tells whether a node has this taint of wasp's and no other, or none when it is undefined. */
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
  const all = wanted === undefined ? others : [...others, { key: KEY, ...wanted }];
  // A patch can replace only the whole list of taints; with the version that was read, it is refused when anybody
  // has changed the node since.
  await server.write(
    {
      method: "PATCH",
      path: nodePath(nodeName),
      contentType: "application/merge-patch+json",
      body: { metadata: { resourceVersion }, spec: { taints: all } },
    },
    closing,
  );
  return true;
}

function isOwn({ key }: Taint): boolean {
  return key === KEY;
}

function isSame(taint: Taint | undefined, wanted: SwapPressureTaint): boolean {
  return taint?.effect === wanted.effect && (taint.value || undefined) === (wanted.value || undefined);
}
