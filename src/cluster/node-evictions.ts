import type { V1Node } from "@kubernetes/client-node";
import type { ApiServer } from "./api-server.ts";
import { type Node, nodePath } from "./node.ts";
import { mergePatch } from "./request.ts";
import { parseTimestamp, timestamp } from "./timestamp.ts";

/** Eviction of a pod from a node that was requested at some time. */
export interface NodeEviction {
  readonly podUid: string;
  /** Time of the request since the epoch; recorded in whole seconds. */
  readonly atMilliseconds: number;
}

const EVICTIONS_ANNOTATION = "wasp.io/evictions";

/**
 * Sets the node's annotation `wasp.io/evictions` to these evictions, as `UID@TIME`, for a restarted agent. Needs the
 * permission to patch nodes. Rejects with a RequestError.
 */
export async function recordEvictions(
  server: ApiServer,
  nodeName: string,
  evictions: readonly NodeEviction[],
  closing: AbortSignal,
): Promise<void> {
  const entries = evictions.map(({ podUid, atMilliseconds }) => `${podUid}@${timestamp(atMilliseconds)}`);
  await annotate(server, nodeName, entries.join(" "), closing);
}

/** Returns true if a node has the annotation `wasp.io/evictions`. */
export function hasEvictions({ annotations }: Node): boolean {
  return EVICTIONS_ANNOTATION in annotations;
}

/** Removes the annotation `wasp.io/evictions`; needs the permission to patch nodes. Rejects with a RequestError. */
export async function removeEvictions(
  server: ApiServer,
  nodeName: string,
  closing: AbortSignal,
): Promise<void> {
  await annotate(server, nodeName, null, closing);
}

/** Parses a node's annotation `wasp.io/evictions`; entries that cannot be parsed are left out. */
export function evictionsOf({ annotations }: Node): readonly NodeEviction[] {
  return (annotations[EVICTIONS_ANNOTATION] ?? "").split(" ").flatMap((entry) => {
    const [, podUid = "", time = ""] = /^([^@]+)@(.+)$/.exec(entry) ?? [];
    const atMilliseconds = parseTimestamp(time);
    return atMilliseconds === undefined ? [] : [{ podUid, atMilliseconds }];
  });
}

async function annotate(
  server: ApiServer,
  nodeName: string,
  value: string | null,
  closing: AbortSignal,
): Promise<void> {
  const body = { metadata: { annotations: { [EVICTIONS_ANNOTATION]: value } } };
  await server.write(mergePatch<V1Node>(nodePath(nodeName), body), closing);
}
