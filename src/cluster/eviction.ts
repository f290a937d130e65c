import type { ApiServer } from "./api-server.ts";
import { type EvictionReply, replyOf } from "./eviction-reply.ts";
import { type PodRef, podPath } from "./live-pod.ts";
import { RequestError } from "./request-error.ts";

/** How a pod is to be evicted. */
export interface EvictionOptions {
  /** In place of the pod's own grace period. */
  readonly gracePeriodSeconds?: number | undefined;
  /** Asks only whether it would be allowed. */
  readonly isDryRun?: boolean;
}

/**
 * Asks the API server to evict a pod, if it still is the same: disruption budgets hold, and KubeVirt moves a virtual
 * machine in place of ending it. Needs the permission to create pods/eviction. Never throws what fails at the API server.
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
      gracePeriodSeconds,
      dryRun: isDryRun ? ["All"] : undefined,
    },
  };
  const path = podPath(pod, "eviction");
  return await reply(server.write({ method: "POST", path, contentType: JSON_TYPE, body }, closing));
}

/**
 * Deletes a pod, if it still is the same, whatever its disruption budgets and KubeVirt say; it keeps its grace period
 * and its finalizers. Needs the permission to delete pods. Never throws what fails at the API server.
 */
export async function deletePod(
  server: ApiServer,
  pod: PodRef,
  closing: AbortSignal,
): Promise<EvictionReply> {
  const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid: pod.uid } };
  return await reply(
    server.write({ method: "DELETE", path: podPath(pod), contentType: JSON_TYPE, body }, closing),
  );
}

const JSON_TYPE = "application/json";

async function reply(answer: Promise<string>): Promise<EvictionReply> {
  try {
    await answer;
    return { answer: "accepted", message: "accepted", retryAfterSeconds: undefined };
  } catch (error) {
    if (error instanceof RequestError) return replyOf(error);
    throw error;
  }
}
