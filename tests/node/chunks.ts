import type { Answer } from "./fake-kubelet.ts";

/** Head of a response that is sent in chunks, as a watch is. */
export const STREAM_HEAD =
  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

/** End of such a response. */
export const LAST_CHUNK = "0\r\n\r\n";

/** Frames a text as a chunk of such a response. */
export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** Starts a watch with some lines, and leaves it open. */
export function openWatch(text: string): Answer {
  return (socket) => socket.write(STREAM_HEAD + (text && chunk(text)));
}
