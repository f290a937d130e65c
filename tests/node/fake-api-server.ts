import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import type { Server, TLSSocket } from "node:tls";
import type { V1PodList } from "@kubernetes/client-node";
import type { ApiServerOptions } from "../../src/cluster/api-server.ts";
import type { Json } from "../../src/cluster/kubernetes-json.ts";
import { patience } from "../patience.ts";
import { chunk, LAST_CHUNK, STREAM_HEAD } from "./chunks.ts";
import { type Change, eventOf, type FakeCluster, podJson } from "./fake-cluster.ts";
import type { Answer } from "./fake-kubelet.ts";
import { FakeObjects } from "./fake-objects.ts";
import { listen, makeCertificates, onRequest } from "./https-server.ts";
import { NodeWatches } from "./node-watches.ts";

const RECORDINGS = new URL("../fixtures/recordings/api", import.meta.url).pathname;

/** Kind of request for pods: the first page of a list, a further page, or a watch. */
export type Verb = "list" | "continue" | "watch";

/** Received request. */
export interface ApiRequest {
  readonly verb: Verb;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string;
}

interface Watcher {
  readonly node: string;
  readonly socket: TLSSocket;
  readonly timer: NodeJS.Timeout;
}

/** Answers with a recorded HTTP/2 response, converted to HTTP/1.1. */
export function recordedApiAnswer(file: string): Answer {
  const text = readFileSync(`${RECORDINGS}/${file}`, "utf8").replace(
    /^HTTP\/2 (\d+) /,
    "HTTP/1.1 $1 Recorded",
  );
  return (socket) => socket.end(text);
}

/** Lines of a recorded watch, with their ends. */
export function recordedLines(file: string): string[] {
  return readFileSync(`${RECORDINGS}/${file}`, "utf8").split(/(?<=\n)/);
}

/**
 * Fake API server on an HTTPS port: it lists and watches the pods of a cluster, for one node at a time, and serves
 * single objects.
 */
export class FakeApiServer implements Disposable {
  readonly folder: string;
  /** Received requests for pods, oldest first. */
  readonly requests: ApiRequest[] = [];
  /** Size and number of the cluster's pods that were sent, without the answers of tests. */
  readonly sent = { bytes: 0, pods: 0 };
  /** Connections that clients have made. */
  connections = 0;
  /** If true, lists at resource version 0 ignore the limit, like those from the cache of a real one. */
  hasCache = true;
  onRequest: () => void = () => {};
  cluster: FakeCluster;
  /** Single objects: nodes, pods and their evictions, Events. */
  objects: FakeObjects;
  readonly nodeWatches: NodeWatches;
  readonly #answers: Record<Verb, Answer[]> = { list: [], continue: [], watch: [] };
  readonly #watchers = new Set<Watcher>();
  readonly #server: Server;

  private constructor(folder: string, server: Server, cluster: FakeCluster) {
    this.folder = folder;
    this.#server = server;
    this.cluster = cluster;
    this.objects = new FakeObjects(cluster);
    this.nodeWatches = new NodeWatches(this.objects);
    this.reset(cluster);
    this.write("token", "token-1\n");
    server.on("secureConnection", () => this.connections++);
    onRequest(server, (head, socket, body) => this.#serve(head, socket, body));
  }

  /** Creates certificates and listens on an address of this host, which is 10.0.2.2 in QEMU's guests. */
  static async start(cluster: FakeCluster, address = "127.0.0.1"): Promise<FakeApiServer> {
    const folder = mkdtempSync(`${tmpdir()}/wasp-api-server-`);
    await makeCertificates(folder, "api-server", "IP:127.0.0.1,IP:::1,IP:10.0.2.2");
    return new FakeApiServer(folder, await listen(folder, "api-server", address), cluster);
  }

  /** Options of a client of this server. */
  get options(): ApiServerOptions {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return {
      baseUrl: `https://${family === "IPv6" ? `[${address}]` : address}:${port}`,
      tokenFile: `${this.folder}/token`,
      caFile: `${this.folder}/ca.pem`,
      timeoutMilliseconds: patience(10),
      maxBodyBytes: 64 * 2 ** 20,
      maxLineBytes: 2 ** 20,
    };
  }

  get watches(): number {
    return this.#watchers.size;
  }

  /** Starts again with another cluster, without answers of tests, watches, counts, nodes and Events. */
  reset(cluster: FakeCluster): void {
    this.dropWatches();
    this.cluster = cluster;
    this.objects = new FakeObjects(cluster);
    cluster.onChange = (change) => this.#notifyWatchers(change);
    this.nodeWatches.reset(this.objects);
    this.requests.length = 0;
    this.connections = 0;
    Object.assign(this.sent, { bytes: 0, pods: 0 });
    for (const answers of Object.values(this.#answers)) answers.length = 0;
    this.hasCache = true;
    this.onRequest = () => {};
  }

  /** Sets the answers to the next requests of a kind. */
  instead(verb: Verb, ...answers: Answer[]): void {
    this.#answers[verb].push(...answers);
  }

  /** Writes a file next to `token`, `ca.pem` and `other.pem`; returns its path. */
  write(name: string, text: string): string {
    writeFileSync(`${this.folder}/${name}`, text);
    return `${this.folder}/${name}`;
  }

  /** Sends a text to all watches. */
  sendWatchers(text: string): void {
    for (const watcher of this.#watchers) this.#send(watcher.socket, chunk(text));
  }

  /** Sends a bookmark with the current resource version to all watches. */
  bookmark(): void {
    const metadata = { resourceVersion: String(this.cluster.revision), creationTimestamp: null };
    const object = { kind: "Pod", apiVersion: "v1", metadata, spec: { containers: null }, status: {} };
    this.sendWatchers(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
  }

  /** Ends all watches without an error. */
  endWatches(): void {
    for (const watcher of this.#watchers) this.#end(watcher);
  }

  /** Resets the connections of all watches. */
  dropWatches(): void {
    for (const watcher of this.#watchers) {
      this.#forget(watcher);
      watcher.socket.destroy();
    }
  }

  [Symbol.dispose](): void {
    this.dropWatches();
    this.nodeWatches.drop();
    this.#server.close();
    rmSync(this.folder, { recursive: true });
  }

  #serve(head: string, socket: TLSSocket, body: string): void {
    const [method = "", target = ""] = head.split(" ");
    const url = new URL(target, "https://api-server");
    const query = url.searchParams;
    if (url.pathname === "/api/v1/nodes" && query.has("watch")) {
      this.nodeWatches.serve(query, socket);
      this.onRequest();
      return;
    }
    if (url.pathname !== "/api/v1/pods") {
      const contentType = /^content-type: (\S+)/im.exec(head)?.[1] ?? "";
      this.objects.serve({ method, path: url.pathname, contentType, body }, socket);
      this.onRequest();
      return;
    }
    const verb = query.has("watch") ? "watch" : query.has("continue") ? "continue" : "list";
    const token = /^authorization: bearer (\S+)/im.exec(head)?.[1] ?? "";
    this.requests.push({ verb, path: url.pathname, query, token });
    const answer = this.#answers[verb].shift();
    if (answer !== undefined) answer(socket);
    else if (verb === "watch") this.#watch(query, socket);
    else this.#list(query, socket);
    this.onRequest();
  }

  #list(query: URLSearchParams, socket: TLSSocket): void {
    const isWhole = this.hasCache && query.get("resourceVersion") === "0";
    const limit = isWhole ? Number.POSITIVE_INFINITY : Number(query.get("limit"));
    const [version = String(this.cluster.revision), start = "0"] = query.get("continue")?.split(" ") ?? [];
    const pods = this.cluster.podsOn(nodeIn(query)).slice(Number(start));
    const page = pods.slice(0, limit);
    const next = pods.length > limit ? `${version} ${Number(start) + limit}` : undefined;
    const metadata = { resourceVersion: version, ...(next !== undefined && { continue: next }) };
    const list: Json<V1PodList> = { kind: "PodList", apiVersion: "v1", metadata, items: page.map(podJson) };
    const body = JSON.stringify(list);
    this.sent.pods += page.length;
    this.#send(socket, `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    socket.end();
  }

  #watch(query: URLSearchParams, socket: TLSSocket): void {
    const version = Number(query.get("resourceVersion"));
    if (version < this.cluster.compactedRevision) {
      recordedApiAnswer("watch-410-too-old.http")(socket);
      return;
    }
    this.#send(socket, STREAM_HEAD);
    const timer = setTimeout(() => this.#end(watcher), Number(query.get("timeoutSeconds")) * 1000);
    const watcher = { node: nodeIn(query), socket, timer };
    this.#watchers.add(watcher);
    socket.on("close", () => this.#forget(watcher));
    for (const change of this.cluster.changes) {
      if (change.revision > version) this.#notify(watcher, change);
    }
  }

  #notifyWatchers(change: Change): void {
    for (const watcher of this.#watchers) this.#notify(watcher, change);
  }

  #notify({ node, socket }: Watcher, change: Change): void {
    const event = eventOf(change, node);
    if (event === undefined) return;
    this.sent.pods++;
    this.#send(socket, chunk(`${JSON.stringify(event)}\n`));
  }

  #send(socket: TLSSocket, text: string): void {
    this.sent.bytes += Buffer.byteLength(text);
    socket.write(text);
  }

  #end(watcher: Watcher): void {
    this.#forget(watcher);
    watcher.socket.end(LAST_CHUNK);
  }

  #forget(watcher: Watcher): void {
    clearTimeout(watcher.timer);
    this.#watchers.delete(watcher);
  }
}

/** Returns the requested node; a request for the pods of several nodes is an error of the program under test. */
function nodeIn(query: URLSearchParams): string {
  const node = /^spec\.nodeName=([\w.-]+)$/.exec(query.get("fieldSelector") ?? "")?.[1];
  if (node === undefined) throw new Error(`a request for the pods of all nodes: ${query}`);
  return node;
}
