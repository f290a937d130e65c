import type { V1DeleteOptions, V1Eviction } from "@kubernetes/client-node";
import type { ApiServer } from "./api-server.ts";
import { type EvictionReply, replyOf } from "./eviction-reply.ts";
import type { Json } from "./kubernetes-json.ts";
import { type PodRef, podPath } from "./pod.ts";
import { RequestError } from "./request-error.ts";

/** Options of an eviction request. */
export interface EvictionOptions {
  /** Replaces the pod's own grace period. */
  readonly gracePeriodSeconds?: number | undefined;
  /** Only checks whether the eviction would be allowed. */
  readonly isDryRun?: boolean;
}

/**
 * Requests the eviction of the pod with this UID: disruption budgets apply, and KubeVirt migrates a virtual machine in
 * place of ending it. Needs the permission to create pods/eviction. A failed request is a reply, never a rejection.
 */
export async function evictPod(
  server: ApiServer,
  pod: PodRef,
  { gracePeriodSeconds, isDryRun = false }: EvictionOptions,
  closing: AbortSignal,
): Promise<EvictionReply> {
  const body = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { namespace: pod.namespace, name: pod.name },
    deleteOptions: {
      preconditions: { uid: pod.uid },
      ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      ...(isDryRun && { dryRun: ["All"] }),
    },
  } satisfies Json<V1Eviction>;
  const path = podPath(pod, "eviction");
  return await reply(server.write({ method: "POST", path, body }, closing));
}

/**
 * Deletes the pod with this UID, regardless of disruption budgets and KubeVirt; it keeps its grace period and its
 * finalizers. Needs the permission to delete pods. A failed request is a reply, never a rejection.
 */
export async function deletePod(
  server: ApiServer,
  pod: PodRef,
  closing: AbortSignal,
): Promise<EvictionReply> {
  const body = {
    apiVersion: "v1",
    kind: "DeleteOptions",
    preconditions: { uid: pod.uid },
  } satisfies Json<V1DeleteOptions>;
  return await reply(server.write({ method: "DELETE", path: podPath(pod), body }, closing));
}

async function reply(response: Promise<string>): Promise<EvictionReply> {
  try {
    await response;
    return { answer: "accepted", message: "accepted", retryAfterSeconds: undefined };
  } catch (error) {
    if (error instanceof RequestError) return replyOf(error);
    throw error;
  }
}
