import { LineSplitter } from "../text/lines.ts";
import { decodeApiStatus } from "./api-status.ts";
import { type Answer, excerpt, get, httpsUrl, type Server, shownUrl, type Write, write } from "./request.ts";
import { type Refusal, RequestError, type RequestErrorKind } from "./request-error.ts";

/** Where the API server listens, and what each side believes the other by. */
export interface ApiServerOptions {
  /** `https://HOST:PORT`, an IPv6 address in brackets. */
  readonly baseUrl: string;
  /** The bearer token, read afresh for each request: projected tokens rotate. */
  readonly tokenFile: string;
  /** Certificates in PEM, read afresh for each request, of which one issued the API server's. */
  readonly caFile: string;
  /** For the whole of a request, its body included, but of a stream only until it begins. */
  readonly timeoutMilliseconds: number;
  /** The largest answer that is read whole. */
  readonly maxBodyBytes: number;
  /** The largest line of a stream: one object, which etcd holds to 1.5 MiB of its own encoding unless told otherwise. */
  readonly maxLineBytes: number;
}

/** The API server's URL, as a pod's environment tells it; throws an Error outside of a pod. */
export function inClusterUrl(env: Readonly<Record<string, string | undefined>>): string {
  const [host, port] = [env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT"]];
  if (!host || !port) {
    throw new Error(
      "the API server is not known: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are set only in a pod",
    );
  }
  return httpsUrl(host, port);
}

/** The cluster's API server; whatever fails, fails with a RequestError. */
export class ApiServer {
  readonly #server: Server;
  readonly #options: ApiServerOptions;

  /** Throws an Error when the base URL is not one of https. */
  constructor(options: ApiServerOptions) {
    const { baseUrl, tokenFile, caFile, timeoutMilliseconds } = options;
    if (!URL.canParse(baseUrl) || !baseUrl.startsWith("https://")) {
      throw new Error(`the API server's URL is https://HOST:PORT, which ${JSON.stringify(baseUrl)} is not`);
    }
    const trust = { kind: "ca", file: caFile } as const;
    this.#server = { title: "the API server", baseUrl, tokenFile, trust, timeoutMilliseconds };
    this.#options = options;
  }

  /** The whole answer to a GET of a path; given up when `closing` is aborted. */
  async text(path: string, closing: AbortSignal): Promise<string> {
    using answer = await this.#get(path, closing);
    return await answer.text(this.#options.maxBodyBytes);
  }

  /** The answer to a GET of a path, begun, to be read line by line and disposed of; given up when `closing` is aborted. */
  async stream(path: string, closing: AbortSignal): Promise<ApiStream> {
    const answer = await this.#get(path, closing);
    return new ApiStream(answer, this.#options.maxLineBytes, (kind, words) => this.error(kind, path, words));
  }

  /** What a GET of a path gives, decoded; what `decode` throws at, is malformed. Given up when `closing` is aborted. */
  async read<T>(path: string, decode: (text: string) => T, closing: AbortSignal): Promise<T> {
    const text = await this.text(path, closing);
    try {
      return decode(text);
    } catch (error) {
      throw this.error("malformed", path, `sent what is ${(error as Error).message}`);
    }
  }

  /** The whole answer to a request that changes something; given up when `closing` is aborted, which undoes nothing. */
  async write(request: Write, closing: AbortSignal): Promise<string> {
    using answer = await write(this.#server, request, closing);
    const text = await answer.text(this.#options.maxBodyBytes);
    const isRefused = answer.status < 200 || answer.status > 299;
    if (isRefused) throw this.#refusal(request.path, answer.status, text, answer.headers);
    // A refusal may come under a status of success: that of a pod with two disruption budgets is 500 in the body of a
    // 201 (kubernetes pkg/registry/core/pod/storage/eviction.go, Create).
    const said = decodeApiStatus(text);
    if (said?.isFailure) throw this.#refusal(request.path, said.code || answer.status, text, answer.headers);
    return text;
  }

  /** An error of the request for a path, in words that follow the API server's name. */
  error(kind: RequestErrorKind, path: string, words: string, refusal?: Refusal): RequestError {
    return new RequestError(kind, `the API server (${shownUrl(this.#server, path)}) ${words}`, refusal);
  }

  async #get(path: string, closing: AbortSignal): Promise<Answer> {
    const answer = await get(this.#server, path, closing);
    if (answer.status === 200) return answer;
    using refused = answer;
    const text = await refused.text(this.#options.maxBodyBytes);
    throw this.#refusal(path, refused.status, text, refused.headers);
  }

  #refusal(path: string, status: number, text: string, headers: Headers): RequestError {
    const said = decodeApiStatus(text);
    // What stands before the API server, and its own limits, answer in plain text.
    const words = `${status} ${excerpt(said?.message ?? text)}`.trim();
    const retryAfterSeconds = secondsIn(headers.get("retry-after")) ?? said?.retryAfterSeconds;
    const [kind, verdict] = this.#verdict(status);
    return this.error(kind, path, `${verdict} ${words}`, { status, retryAfterSeconds, said });
  }

  #verdict(status: number): [RequestErrorKind, string] {
    const { tokenFile } = this.#options;
    if (status === 401) return ["unauthorized", `does not accept the token in ${tokenFile}:`];
    if (status === 403)
      return ["forbidden", `wants a permission that the token in ${tokenFile} does not give:`];
    return ["status", "answered"];
  }
}

/** An answer of the API server that goes on, line by line. */
export class ApiStream implements Disposable {
  readonly #answer: Answer;
  readonly #splitter: LineSplitter;
  readonly #error: (kind: RequestErrorKind, words: string) => RequestError;

  /** Only an ApiServer makes streams; `error` makes their errors. */
  constructor(
    answer: Answer,
    maxLineBytes: number,
    error: (kind: RequestErrorKind, words: string) => RequestError,
  ) {
    this.#answer = answer;
    this.#splitter = new LineSplitter(maxLineBytes);
    this.#error = error;
  }

  /** The lines, as many at once as come at once, until the server ends the stream in good order, or within so long. */
  async *lines(limitMilliseconds: number): AsyncGenerator<string[]> {
    this.#answer.limit(limitMilliseconds);
    for await (const chunk of this.#answer.chunks()) yield this.#split(chunk);
    if (this.#splitter.pendingBytes > 0) throw this.#error("unreachable", "broke off within a line");
  }

  /** Hangs up. */
  [Symbol.dispose](): void {
    this.#answer[Symbol.dispose]();
  }

  #split(chunk: Uint8Array): string[] {
    try {
      return this.#splitter.push(chunk);
    } catch (error) {
      throw this.#error("too-large", `sent too much: ${(error as Error).message}`);
    }
  }
}

// The other form, a date, is not one that the API server uses.
function secondsIn(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}
