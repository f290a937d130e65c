import { type Answer, answer } from "./fake-kubelet.ts";
import { PATCH_TYPES } from "./merge-patch.ts";

/** What the API server answers in place of an object: a Status of failure, in its form and with its headers. */
export function failure(
  code: number,
  reason: string | undefined,
  message: string,
  details: object = {},
): Answer {
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
  return answer(`${code} Failure`, JSON.stringify({ ...status, message, reason, details, code }));
}

/** What a webhook's denial is made into: no reason, and its words after the API server's. */
export function webhookDenial(code: number, words: string, webhook = KUBEVIRT): Answer {
  return failure(code, undefined, `admission webhook "${webhook}" denied the request: ${words}`);
}

const KUBEVIRT = "virt-launcher-eviction-interceptor.kubevirt.io";

/** What the API server says when it has too much to do, which is not in its own form. */
export const tooBusy: Answer = (socket) => {
  const text = "Too many requests, please try again later.\n";
  const headers = `Content-Type: text/plain; charset=utf-8\r\nRetry-After: 7\r\nContent-Length: ${text.length}`;
  socket.end(`HTTP/1.1 429 Too Many Requests\r\n${headers}\r\n\r\n${text}`);
};

/** Reads the request, and resets the connection. */
export const hangUp: Answer = (socket) => socket.destroy();

/** There is no such object. */
export function notFound(kind: string, name: string): Answer {
  return failure(404, "NotFound", `${kind} "${name}" not found`, { name, kind });
}

/** The object is another than the request takes it for. */
export function conflict(kind: string, name: string, words: string): Answer {
  const message = `Operation cannot be fulfilled on ${kind} "${name}": ${words}`;
  return failure(409, "Conflict", message, { name, kind });
}

/** There is no patch of such a content type. */
export function unsupported(): Answer {
  const message = `the body of the request was in an unknown format - accepted media types include: ${PATCH_TYPES.join(", ")}`;
  return failure(415, "UnsupportedMediaType", message);
}
