import { decodeKubeletConfig, type RunningKubeletConfig } from "./kubelet-config.ts";
import type { PodList } from "./pod-list.ts";
import { type DecodedPods, PodListReader } from "./pod-list-reader.ts";
import { type Answer, excerpt, get, httpsUrl, type Server, shownUrl } from "./request.ts";
import { RequestError, type RequestErrorKind } from "./request-error.ts";

/** Address of the kubelet, and the credentials and certificates of the connection. */
export interface KubeletOptions extends Pick<Server, "tokenFile" | "trust" | "timeoutMilliseconds"> {
  /** Name or address; by default the kubelet of this node listens on 127.0.0.1 too. */
  readonly host: string;
  readonly port: number;
  /** Largest response that is read, lists of pods excepted. */
  readonly maxBodyBytes: number;
}

// A pod's author decides on its size, and a node may have hundreds: a list may be as large as it is, but it has to go on
// coming.
const MAX_LIST_TIMEOUTS = 6;

/** Client of the node's kubelet at its authenticated HTTPS port. */
export class Kubelet {
  readonly #server: Server;
  readonly #maxBodyBytes: number;
  #decoded: DecodedPods = new Map();

  constructor({ host, port, maxBodyBytes, ...connection }: KubeletOptions) {
    this.#server = { title: "the kubelet", baseUrl: httpsUrl(host, port), ...connection };
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Returns the pods that the kubelet runs or will run, static ones included; rejects only with a RequestError. */
  pods(): Promise<PodList> {
    return this.#get("/pods", async (answer) => {
      const reader = new PodListReader(this.#decoded);
      for await (const chunk of answer.chunksInTime(MAX_LIST_TIMEOUTS)) reader.push(chunk);
      const list = reader.end();
      this.#decoded = reader.decoded;
      return list;
    });
  }

  /** Returns the configuration that the kubelet runs with; rejects only with a RequestError. */
  config(): Promise<RunningKubeletConfig> {
    const read = async (answer: Answer) => decodeKubeletConfig(await answer.text(this.#maxBodyBytes));
    return this.#get("/configz", read);
  }

  async #get<T>(path: string, read: (answer: Answer) => Promise<T>): Promise<T> {
    using answer = await get(this.#server, path);
    const url = shownUrl(this.#server, path);
    if (answer.status !== 200) {
      const text = await answer.text(this.#maxBodyBytes);
      throw refusalOf(this.#server.tokenFile, url, answer.status, text);
    }
    try {
      return await read(answer);
    } catch (error) {
      if (error instanceof RequestError) throw error;
      throw new RequestError("malformed", `the kubelet's answer (${url}) is ${(error as Error).message}`);
    }
  }
}

function refusalOf(tokenFile: string, url: string, status: number, text: string): RequestError {
  const [kind, problem] = classify(tokenFile, status, text);
  const message = `the kubelet (${url}) ${problem} ${status} ${excerpt(text)}`.trim();
  return new RequestError(kind, message, { status });
}

function classify(tokenFile: string, status: number, text: string): [RequestErrorKind, string] {
  if (status === 401) return ["unauthorized", `does not accept the token in ${tokenFile}:`];
  if (status === 403) return ["forbidden", `requires ${permissionsIn(text)}:`];
  return ["status", "answered"];
}

// The kubelet lists the permissions that it checked: `subresource(s)=[pods proxy]`, an older one `subresource=proxy`
// (kubernetes pkg/kubelet/server/server.go, InstallAuthFilter).
function permissionsIn(text: string): string {
  const subresources = /subresource(?:\(s\))?=\[?([\w ]+)/.exec(text)?.[1] ?? "pods proxy";
  const user = /user=([^,)]+)/.exec(text)?.[1] ?? "the token's account";
  const permissions = subresources
    .trim()
    .split(/ +/)
    .map((name) => `nodes/${name}`);
  return `permission to get ${permissions.join(" or ")} for ${user}`;
}
