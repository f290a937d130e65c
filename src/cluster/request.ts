import { RequestError } from "./request-error.ts";
import { expectation, readToken, type Trust, tlsOptions } from "./trust.ts";

/** The URL of a server at a name or an address, which is put in brackets where it has to be. */
export function httpsUrl(host: string, port: number | string): string {
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** A server of the cluster, and what each side believes the other by. */
export interface Server {
  /** As messages name it: `the kubelet`. */
  readonly title: string;
  /** `https://HOST:PORT`, an IPv6 address in brackets. */
  readonly baseUrl: string;
  /** The bearer token, read afresh for each request: projected tokens rotate. */
  readonly tokenFile: string;
  readonly trust: Trust;
  /** For the whole of a request, its body included, unless its reader sets another limit. */
  readonly timeoutMilliseconds: number;
}

/** A request that changes something. */
export interface Write {
  readonly method: "POST" | "PATCH" | "DELETE";
  readonly path: string;
  /** The body's: it tells one kind of patch from another. */
  readonly contentType: string;
  /** Sent as JSON. */
  readonly body: object;
}

/**
 * Sends a GET for a path and waits for the head of the answer, whatever its status; the answer has to be disposed of.
 * Fails with a RequestError, also when `closing` is aborted.
 */
export function get(server: Server, path: string, closing?: AbortSignal): Promise<Answer> {
  return send(server, path, { method: "GET" }, {}, closing);
}

/** Sends a request that changes something, as `get` sends one that does not. A failure does not tell that it was not done. */
export function write(server: Server, write: Write, closing?: AbortSignal): Promise<Answer> {
  const { method, path, contentType, body } = write;
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
  const token = await readToken(server.tokenFile);
  const tls = await tlsOptions(server.trust, server.title);
  const url = shownUrl(server, path);
  const deadline = new Deadline(`${server.title} (${url})`, closing);
  deadline.set(server.timeoutMilliseconds);
  try {
    const response = await fetch(server.baseUrl + path, {
      ...init,
      headers: { ...headers, accept: "application/json", authorization: `Bearer ${token}` },
      signal: deadline.signal,
      tls,
      // Whatever the environment says: a token for one server is no proxy's business, nor any other server's.
      proxy: false,
      redirect: "manual",
      // Each request shows the certificate anew.
      keepalive: false,
    });
    return new Answer(server, url, response, deadline);
  } catch (error) {
    deadline[Symbol.dispose]();
    throw failure(server, url, error);
  }
}

/** What a server answers, its body still under way. */
export class Answer implements Disposable {
  readonly status: number;
  readonly headers: Headers;
  readonly #server: Server;
  readonly #url: string;
  readonly #response: Response;
  readonly #deadline: Deadline;

  /** Only `get` and `write` make answers. */
  constructor(server: Server, url: string, response: Response, deadline: Deadline) {
    this.status = response.status;
    this.headers = response.headers;
    this.#server = server;
    this.#url = url;
    this.#response = response;
    this.#deadline = deadline;
  }

  /** The body's bytes as they come, no more of them than allowed; fails with a RequestError. */
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

  /** The whole body, read no further than allowed; fails with a RequestError. */
  async text(maxBytes: number): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.chunks(maxBytes)) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }

  /** Sets another limit for the rest of the body, from now. */
  limit(milliseconds: number): void {
    this.#deadline.set(milliseconds);
  }

  /** Hangs up, if the body is not at its end. */
  [Symbol.dispose](): void {
    this.#deadline[Symbol.dispose]();
  }
}

/** The URL of a path as messages have it: a query may be long, and tells little. */
export function shownUrl(server: Server, path: string): string {
  return server.baseUrl + path.replace(/\?.*$/, "");
}

/** The beginning of a text, as much as a message has room for. */
export function excerpt(text: string): string {
  return text.slice(0, 300).trim();
}

/** An abort signal that one request has to itself: nothing is left at whatever outlives the request. */
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
    const message = `${this.#name} did not answer within ${milliseconds / 1000} s`;
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
  return new RequestError("tls", `${title} (${url}) did not show ${expected}: ${messageOf(error)}`);
}

// The names of OpenSSL's verdicts on a certificate, and Node's on a host's name.
const CERTIFICATE_CODE = /CERT|CRL|ISSUER|SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH/;

// What Bun adds for whoever debugs a fetch is of no use in a log.
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/( fetching "|\. (For more information|Is the computer able)).*$/s, "");
}
