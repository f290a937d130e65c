import { LineSplitter } from "../text/lines.ts";
import { decodeApiStatus } from "./api-status.ts";
import { KeptCredentials } from "./credentials.ts";
import { type Answer, excerpt, get, httpsUrl, type Server, shownUrl, type Write, write } from "./request.ts";
import { type Refusal, RequestError, type RequestErrorKind } from "./request-error.ts";

/** Address of the API server, and the credentials and certificates of the connection. */
export interface ApiServerOptions extends Pick<Server, "baseUrl" | "tokenFile"> {
  /** CA certificates in PEM; one of them issued the API server's certificate. */
  readonly caFile: string;
  /** Keeps connections open after a request, and the token and certificates in memory; false by default. */
  readonly keepsConnections?: boolean;
  /** Time limit of a whole request with its body; of a stream, until its response begins. */
  readonly timeoutMilliseconds: number;
  /** Largest response that is read, streams and lists of pods excepted. */
  readonly maxBodyBytes: number;
  /** Longest line of a stream: one object, which etcd limits to 1.5 MiB of its own encoding by default. */
  readonly maxLineBytes: number;
}

/** Returns the API server's URL from a pod's environment; throws an Error outside of a pod. */
export function inClusterUrl(env: Readonly<Record<string, string | undefined>>): string {
  const [host, port] = [env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT"]];
  if (!host || !port) {
    throw new Error(
      "the API server's address is unknown: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are set only in a pod",
    );
  }
  return httpsUrl(host, port);
}

// A response that has no largest size has to go on coming.
const MAX_BODY_TIMEOUTS = 3;

/** Client of the cluster's API server; each failure is a RequestError. */
export class ApiServer {
  readonly #server: Server;
  readonly #options: ApiServerOptions;

  /** Throws an Error if the base URL is not an HTTPS URL. */
  constructor(options: ApiServerOptions) {
    const { baseUrl, tokenFile, caFile, timeoutMilliseconds } = options;
    if (!URL.canParse(baseUrl) || !baseUrl.startsWith("https://")) {
      throw new Error(`the API server's URL must be https://HOST:PORT, not ${JSON.stringify(baseUrl)}`);
    }
    const files = { title: "the API server", tokenFile, trust: { kind: "ca", file: caFile } } as const;
    const kept = options.keepsConnections ? new KeptCredentials(files) : undefined;
    this.#server = { ...files, baseUrl, kept, timeoutMilliseconds };
    this.#options = options;
  }

  /** Returns the whole response to a GET of a path; aborted with `closing`. */
  async text(path: string, closing: AbortSignal): Promise<string> {
    using answer = await this.#get(path, closing);
    return await answer.text(this.#options.maxBodyBytes);
  }

  /** Starts a GET of a path whose response is read line by line and has to be disposed of; aborted with `closing`. */
  async stream(path: string, closing: AbortSignal): Promise<ApiStream> {
    const answer = await this.#get(path, closing);
    return new ApiStream(answer, this.#options.maxLineBytes, (kind, words) => this.error(kind, path, words));
  }

  /** Hands over the response to a GET of a path as it arrives, however large it is; aborted with `closing`. */
  async pieces(path: string, take: (piece: Uint8Array) => void, closing: AbortSignal): Promise<void> {
    using answer = await this.#get(path, closing);
    for await (const piece of answer.chunksInTime(MAX_BODY_TIMEOUTS)) take(piece);
  }

  /** Returns the decoded response to a GET of a path, malformed if `decode` throws; aborted with `closing`. */
  async read<T>(path: string, decode: (text: string) => T, closing: AbortSignal): Promise<T> {
    return this.decode(path, decode, await this.text(path, closing));
  }

  /** Decodes a part of the response for a path; throws a RequestError of kind malformed if `decode` throws. */
  decode<T>(path: string, decode: (text: string) => T, text: string): T {
    try {
      return decode(text);
    } catch (error) {
      throw this.error("malformed", path, `sent a malformed response: ${(error as Error).message}`);
    }
  }

  /** Sends a write request and returns its whole response; aborted with `closing`, which undoes nothing. */
  async write(request: Write, closing: AbortSignal): Promise<string> {
    using answer = await write(this.#server, request, closing);
    const text = await answer.text(this.#options.maxBodyBytes);
    const isRefused = answer.status < 200 || answer.status > 299;
    if (isRefused) throw this.#refusal(request.path, answer.status, text, answer.headers);
    // A refusal may have a status of success: for a pod with two disruption budgets it is a 500 in the body of a 201
    // (kubernetes pkg/registry/core/pod/storage/eviction.go, Create).
    const apiStatus = decodeApiStatus(text);
    if (apiStatus?.isFailure)
      throw this.#refusal(request.path, apiStatus.code || answer.status, text, answer.headers);
    return text;
  }

  /** Makes the error of a request for a path; `words` follow the API server's name. */
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
    const apiStatus = decodeApiStatus(text);
    // Proxies in front of the API server, and its own flow control, answer in plain text.
    const reason = `${status} ${excerpt(apiStatus?.message ?? text)}`.trim();
    const retryAfterSeconds = secondsIn(headers.get("retry-after")) ?? apiStatus?.retryAfterSeconds;
    const [kind, problem] = this.#classify(status);
    return this.error(kind, path, `${problem} ${reason}`, { status, retryAfterSeconds, apiStatus });
  }

  #classify(status: number): [RequestErrorKind, string] {
    const { tokenFile } = this.#options;
    if (status === 401) return ["unauthorized", `does not accept the token in ${tokenFile}:`];
    if (status === 403) return ["forbidden", `requires a permission that the token in ${tokenFile} lacks:`];
    return ["status", "answered"];
  }
}

/** Response of the API server that is read line by line as it comes. */
export class ApiStream implements Disposable {
  readonly #answer: Answer;
  readonly #splitter: LineSplitter;
  readonly #error: (kind: RequestErrorKind, words: string) => RequestError;

  /** Called by ApiServer alone; `error` makes the stream's errors. */
  constructor(
    answer: Answer,
    maxLineBytes: number,
    error: (kind: RequestErrorKind, words: string) => RequestError,
  ) {
    this.#answer = answer;
    this.#splitter = new LineSplitter(maxLineBytes);
    this.#error = error;
  }

  /** Yields the lines that arrive together, until the server ends the stream or the time limit expires. */
  async *lines(limitMilliseconds: number): AsyncGenerator<string[]> {
    this.#answer.limit(limitMilliseconds);
    for await (const chunk of this.#answer.chunks()) yield this.#split(chunk);
    if (this.#splitter.pendingBytes > 0)
      throw this.#error("unreachable", "broke off in the middle of a line");
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#answer[Symbol.dispose]();
  }

  #split(chunk: Uint8Array): string[] {
    try {
      return this.#splitter.push(chunk);
    } catch (error) {
      throw this.#error("too-large", `sent too much data: ${(error as Error).message}`);
    }
  }
}

// The API server never uses the other form of the header, a date.
function secondsIn(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}
