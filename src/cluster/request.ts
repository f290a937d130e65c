import { type CredentialFiles, type KeptCredentials, readCredentials } from "./credentials.ts";
import type { MergePatch } from "./kubernetes-json.ts";
import { RequestError } from "./request-error.ts";
import { expectation } from "./trust.ts";

/** Returns the HTTPS URL of a server at a name or an address; an IPv6 address is put in brackets. */
export function httpsUrl(host: string, port: number | string): string {
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Server of the cluster, with the credentials and certificates of the connection. */
export interface Server extends CredentialFiles {
  /** `https://HOST:PORT`, an IPv6 address in brackets. */
  readonly baseUrl: string;
  /**
   * Kept credentials, with which connections are kept too. By default the files are read for each request, since projected
   * tokens rotate, and each request has a connection of its own.
   */
  readonly kept?: KeptCredentials | undefined;
  /** Time limit of a whole request with its body, unless the reader sets another limit. */
  readonly timeoutMilliseconds: number;
}

/** Request that changes an object. */
export interface Write {
  readonly method: "POST" | "PATCH" | "DELETE";
  readonly path: string;
  /** Content type of the body, which also selects the kind of patch; by default `application/json`. */
  readonly contentType?: string;
  /** Sent as JSON. */
  readonly body: object;
}

/** Makes the request that changes some fields of an object by a JSON merge patch. */
export function mergePatch<T>(path: string, body: MergePatch<T> & object): Write {
  return { method: "PATCH", path, contentType: "application/merge-patch+json", body };
}

/**
 * Sends a GET for a path and waits for the response's headers, whatever its status; the result has to be disposed of.
 * Rejects with a RequestError, also if `closing` is aborted.
 */
export function get(server: Server, path: string, closing?: AbortSignal): Promise<Answer> {
  return send(server, path, { method: "GET" }, {}, closing);
}

/** Sends a write request as `get` sends a GET. A request that fails may have been carried out. */
export function write(server: Server, write: Write, closing?: AbortSignal): Promise<Answer> {
  const { method, path, contentType = "application/json", body } = write;
  const init = { method, body: JSON.stringify(body) };
  return send(server, path, init, { "content-type": contentType }, closing);
}

async function send(
  server: Server,
  path: string,
  init: { readonly method: string; readonly body?: string },
  headers: Readonly<Record<string, string>>,
  closing: AbortSignal | undefined,
): Promise<Answer> {
  const { kept } = server;
  const { token, tls } = await (kept?.current() ?? readCredentials(server));
  const url = shownUrl(server, path);
  const deadline = new Deadline(`${server.title} (${url})`, closing);
  deadline.set(server.timeoutMilliseconds);
  try {
    const response = await fetch(server.baseUrl + path, {
      ...init,
      headers: { ...headers, accept: "application/json", authorization: `Bearer ${token}` },
      signal: deadline.signal,
      tls,
      // Regardless of the environment: no proxy and no other server may receive the token.
      proxy: false,
      redirect: "manual",
      // A kept connection has verified the certificate by the same TLS options: Bun shares it with no request of others.
      keepalive: kept !== undefined,
    });
    if (response.status === 401) kept?.forget();
    return new Answer(server, url, response, deadline);
  } catch (error) {
    deadline[Symbol.dispose]();
    const failed = failure(server, url, error);
    if (failed.kind === "tls") kept?.forget();
    throw failed;
  }
}

/** Response of a server, with its body still to be read. */
export class Answer implements Disposable {
  readonly status: number;
  readonly headers: Headers;
  readonly #server: Server;
  readonly #url: string;
  readonly #response: Response;
  readonly #deadline: Deadline;

  /** Called by `get` and `write` alone. */
  constructor(server: Server, url: string, response: Response, deadline: Deadline) {
    this.status = response.status;
    this.headers = response.headers;
    this.#server = server;
    this.#url = url;
    this.#response = response;
    this.#deadline = deadline;
  }

  /** Yields the body's bytes as they arrive, up to a limit; rejects with a RequestError. */
  async *chunks(maxBytes = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    try {
      for await (const chunk of this.#response.body ?? []) {
        bytes += chunk.length;
        if (bytes > maxBytes) break;
        yield chunk;
      }
    } catch (error) {
      throw failure(this.#server, this.#url, error);
    }
    if (bytes <= maxBytes) return;
    throw new RequestError(
      "too-large",
      `${this.#server.title}'s answer (${this.#url}) exceeds ${maxBytes} bytes`,
    );
  }

  /**
   * Yields the body's bytes as they arrive. The server's time limit is that of each pause, and, so many times, that of the
   * whole; rejects with a RequestError.
   */
  async *chunksInTime(maxTimeouts: number): AsyncGenerator<Uint8Array> {
    const { title, timeoutMilliseconds } = this.#server;
    const maxMilliseconds = maxTimeouts * timeoutMilliseconds;
    const start = performance.now();
    for await (const chunk of this.chunks()) {
      yield chunk;
      if (performance.now() - start > maxMilliseconds) {
        const words = `is still sending its answer after ${maxMilliseconds / 1000} s`;
        throw new RequestError("timeout", `${title} (${this.#url}) ${words}`);
      }
      this.limit(timeoutMilliseconds);
    }
  }

  /** Returns the whole body, up to a limit; rejects with a RequestError. */
  async text(maxBytes: number): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.chunks(maxBytes)) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }

  /** Sets another time limit for the rest of the body, from now. */
  limit(milliseconds: number): void {
    this.#deadline.set(milliseconds);
  }

  /** Closes the connection if the body is not at its end. */
  [Symbol.dispose](): void {
    this.#deadline[Symbol.dispose]();
  }
}

/** Returns the URL of a path as messages have it, without its query, which may be long. */
export function shownUrl(server: Server, path: string): string {
  return server.baseUrl + path.replace(/\?.*$/, "");
}

const MAX_EXCERPT_CHARACTERS = 300;

/** Cuts a text to a length that fits in a message. */
export function excerpt(text: string): string {
  return text.slice(0, MAX_EXCERPT_CHARACTERS).trim();
}

/** Abort signal of one request: it leaves no listener at the outer signal, which outlives the request. */
class Deadline implements Disposable {
  readonly #name: string;
  readonly #outer: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #abort = () => this.#controller.abort();
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, outer: AbortSignal | undefined) {
    this.#name = name;
    this.#outer = outer;
    outer?.addEventListener("abort", this.#abort);
    if (outer?.aborted) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  set(milliseconds: number): void {
    clearTimeout(this.#timer);
    const message = `${this.#name} did not answer within ${Number((milliseconds / 1000).toFixed(1))} s`;
    this.#timer = setTimeout(
      () => this.#controller.abort(new RequestError("timeout", message)),
      milliseconds,
    );
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#abort);
    this.#abort();
  }
}

function failure({ title, baseUrl, trust }: Server, url: string, error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const code = String((error as { code?: unknown }).code ?? "");
  if (!CERTIFICATE_CODE.test(code)) {
    return new RequestError("unreachable", `cannot reach ${title} (${url}): ${messageOf(error)}`);
  }
  const expected = expectation(trust, new URL(baseUrl).hostname);
  return new RequestError("tls", `${title} (${url}) did not present ${expected}: ${messageOf(error)}`);
}

// OpenSSL's error codes for a certificate, and Node's for a host name.
const CERTIFICATE_CODE = /CERT|CRL|ISSUER|SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH/;

// Removes the hints for debugging that Bun adds to the errors of fetch.
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/( fetching "|\. (For more information|Is the computer able)).*$/s, "");
}
