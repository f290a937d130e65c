import type { ApiServer } from "./api-server.ts";
import { decodeWatchEvent, type WatchEvent } from "./watch-event.ts";

/** One watch, from its request to its end. */
export interface WatchRequest {
  /** Path and query, which ask for a watch of `timeoutSeconds`. */
  readonly path: string;
  readonly timeoutSeconds: number;
  readonly closing: AbortSignal;
  /** Duration from which `onLasted` is called at the watch's end, however it ends. */
  readonly lastingMilliseconds: number;
}

/** Listener of a watch. */
export interface WatchListener {
  onLines(lines: readonly string[]): void;
  onLasted(): void;
}

// A watch that ends sooner is a failure, so that the next one waits for the backoff.
const MIN_WATCH_MILLISECONDS = 1000;
// Multiple of the requested duration after which a watch that the server does not end is aborted.
const WATCH_TIMEOUT_FACTOR = 1.1;

/** Reads a watch to its end. Rejects with a RequestError if it fails, or ends as soon as it has begun. */
export async function readWatch(
  server: ApiServer,
  { path, timeoutSeconds, closing, lastingMilliseconds }: WatchRequest,
  listener: WatchListener,
): Promise<void> {
  using stream = await server.stream(path, closing);
  const start = performance.now();
  try {
    for await (const lines of stream.lines(timeoutSeconds * WATCH_TIMEOUT_FACTOR * 1000))
      listener.onLines(lines);
  } finally {
    if (performance.now() - start >= lastingMilliseconds) listener.onLasted();
  }
  if (performance.now() - start < MIN_WATCH_MILLISECONDS)
    throw server.error("unreachable", path, "ended a watch as soon as it had begun");
}

/** Decodes a line of a watch; throws a RequestError if it is malformed, or is the reason for the watch's end. */
export function eventOfLine(
  server: ApiServer,
  path: string,
  line: string,
): Exclude<WatchEvent, { readonly type: "ERROR" }> {
  const event = server.decode(path, decodeWatchEvent, line);
  if (event.type !== "ERROR") return event;
  const { code: status, message } = event;
  throw server.error("status", path, `ended a watch: ${status} ${message}`, { status });
}
