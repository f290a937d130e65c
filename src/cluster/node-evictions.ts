import type { ApiServer } from "./api-server.ts";
import { type Node, nodePath } from "./node.ts";
import { timeIn, timestamp } from "./timestamp.ts";

/** A pod that was to be evicted from a node. */
export interface NodeEviction {
  readonly podUid: string;
  /** When that was asked for, since the epoch; whole seconds are kept. */
  readonly atMilliseconds: number;
}

const KEY = "wasp.io/evictions";

/**
 * Writes down on the node who was evicted from it, in place of what is there, for an agent that has to go on from here: its
 * annotation `wasp.io/evictions` lists `UID@TIME`. Needs the permission to patch nodes. Fails with a RequestError.
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

/** Whether something is written down on a node of who was evicted from it. */
export function hasEvictions({ annotations }: Node): boolean {
  return KEY in annotations;
}

/** Takes away what is written down on the node; needs the permission to patch nodes. Fails with a RequestError. */
export async function forgetEvictions(
  server: ApiServer,
  nodeName: string,
  closing: AbortSignal,
): Promise<void> {
  await annotate(server, nodeName, null, closing);
}

/** Who was evicted from a node, as it was written down; what makes no sense is left out. */
export function evictionsOf({ annotations }: Node): readonly NodeEviction[] {
  return (annotations[KEY] ?? "").split(" ").flatMap((entry) => {
    const [, podUid = "", time = ""] = /^([^@]+)@(.+)$/.exec(entry) ?? [];
    const atMilliseconds = timeIn(time);
    return atMilliseconds === undefined ? [] : [{ podUid, atMilliseconds }];
  });
}

async function annotate(
  server: ApiServer,
  nodeName: string,
  value: string | null,
  closing: AbortSignal,
): Promise<void> {
  await server.write(
    {
      method: "PATCH",
      path: nodePath(nodeName),
      contentType: "application/merge-patch+json",
      body: { metadata: { annotations: { [KEY]: value } } },
    },
    closing,
  );
}
