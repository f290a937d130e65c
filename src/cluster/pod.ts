import type { Pod } from "../policy/kubernetes/pod.ts";
import type { ApiServer } from "./api-server.ts";
import { decodePod } from "./decode-pod.ts";
import { RequestError } from "./request-error.ts";

/** Reference to one pod; its UID excludes a later pod of the same name. */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Path of a pod at the API server, or of one of its subresources. */
export function podPath({ namespace, name }: PodRef, ...subresource: readonly string[]): string {
  const parts = ["namespaces", namespace, "pods", name, ...subresource];
  return `/api/v1/${parts.map(encodeURIComponent).join("/")}`;
}

/**
 * Reads the pod with this UID from the API server; undefined if it is gone, even if another pod has its name. Needs the
 * permission to get pods. Rejects with a RequestError.
 */
export async function getPod(server: ApiServer, ref: PodRef, closing: AbortSignal): Promise<Pod | undefined> {
  try {
    const pod = await server.read(podPath(ref), (text) => podIn(text, ref), closing);
    return pod.uid === ref.uid ? pod : undefined;
  } catch (error) {
    if (error instanceof RequestError && error.refusal?.status === 404) return undefined;
    throw error;
  }
}

function podIn(text: string, { namespace, name }: PodRef): Pod {
  const { pod, problems } = decodePod(JSON.parse(text), `pod ${namespace}/${name}`, "api-server");
  if (pod === undefined) throw new Error(`not a Pod: ${problems.join("; ")}`);
  return pod;
}
