import type { V1Status, V1StatusDetails } from "@kubernetes/client-node";
import type { Json } from "../../src/cluster/kubernetes-json.ts";
import { type Answer, answer } from "./fake-kubelet.ts";
import { PATCH_TYPES } from "./merge-patch.ts";

/** Answers as the API server does in place of an object: with a Status of failure. */
export function failure(
  code: number,
  reason: string | undefined,
  message: string,
  details: Json<V1StatusDetails> = {},
): Answer {
  const status: Json<V1Status> = {
    ...{ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message },
    ...(reason !== undefined && { reason }),
    ...{ details, code },
  };
  return answer(`${code} Failure`, JSON.stringify(status));
}

/** Answers with the denial of a webhook: without a reason, its message after the API server's prefix. */
export function webhookDenial(code: number, message: string, webhook = KUBEVIRT): Answer {
  return failure(code, undefined, `admission webhook "${webhook}" denied the request: ${message}`);
}

const KUBEVIRT = "virt-launcher-eviction-interceptor.kubevirt.io";

/** Answers as the API server does under overload, in plain text without a Status. */
export const tooBusy: Answer = (socket) => {
  const text = "Too many requests, please try again later.\n";
  const headers = `Content-Type: text/plain; charset=utf-8\r\nRetry-After: 7\r\nContent-Length: ${text.length}`;
  socket.end(`HTTP/1.1 429 Too Many Requests\r\n${headers}\r\n\r\n${text}`);
};

/** Reads the request and resets the connection. */
export const hangUp: Answer = (socket) => socket.destroy();

/** Answers that the object does not exist. */
export function notFound(kind: string, name: string): Answer {
  return failure(404, "NotFound", `${kind} "${name}" not found`, { name, kind });
}

/** Answers that the object is not in the state that the request expects. */
export function conflict(kind: string, name: string, message: string): Answer {
  const text = `Operation cannot be fulfilled on ${kind} "${name}": ${message}`;
  return failure(409, "Conflict", text, { name, kind });
}

/** Answers that the content type of a patch is not supported. */
export function unsupported(): Answer {
  const message = `the body of the request was in an unknown format - accepted media types include: ${PATCH_TYPES.join(", ")}`;
  return failure(415, "UnsupportedMediaType", message);
}
