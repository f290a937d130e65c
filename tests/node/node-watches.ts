import type { TLSSocket } from "node:tls";
import type { V1WatchEvent } from "@kubernetes/client-node";
import type { Json } from "../../src/cluster/kubernetes-json.ts";
import { chunk, LAST_CHUNK, STREAM_HEAD } from "./chunks.ts";
import type { Answer } from "./fake-kubelet.ts";
import type { FakeObjects, StoredNode } from "./fake-objects.ts";

/** Watches of single nodes at the fake API server: each begins with the node as it is, and lasts as long as was asked. */
export class NodeWatches {
  /** Queries of the requests, oldest first. */
  readonly queries: URLSearchParams[] = [];
  /** Answer to all requests, in place of a watch. */
  always: Answer | undefined;
  #objects: FakeObjects;
  readonly #once: Answer[] = [];
  readonly #watchers = new Map<TLSSocket, string>();

  constructor(objects: FakeObjects) {
    this.#objects = objects;
  }

  /** Number of open watches. */
  get open(): number {
    return this.#watchers.size;
  }

  /** Begins again with other objects, without watches. */
  reset(objects: FakeObjects): void {
    this.drop();
    this.queries.length = 0;
    this.#once.length = 0;
    this.always = undefined;
    this.#objects = objects;
    objects.onNode = (node) => {
      for (const [socket, name] of this.#watchers)
        if (name === node.metadata.name) socket.write(eventOf("MODIFIED", node));
    };
  }

  /** Sets the answers to the next requests. */
  instead(...answers: Answer[]): void {
    this.#once.push(...answers);
  }

  serve(query: URLSearchParams, socket: TLSSocket): void {
    this.queries.push(query);
    const answer = this.#once.shift() ?? this.always ?? (() => this.#watch(query, socket));
    const { delayMilliseconds } = this.#objects;
    if (delayMilliseconds === 0) answer(socket);
    else setTimeout(() => answer(socket), delayMilliseconds);
  }

  /** Ends all watches without an error. */
  end(): void {
    for (const socket of this.#watchers.keys()) this.#end(socket);
  }

  /** Resets the connections of all watches. */
  drop(): void {
    for (const socket of this.#watchers.keys()) socket.destroy();
    this.#watchers.clear();
  }

  #end(socket: TLSSocket): void {
    this.#watchers.delete(socket);
    socket.end(LAST_CHUNK);
  }

  #watch(query: URLSearchParams, socket: TLSSocket): void {
    const name = /^metadata\.name=([\w.-]+)$/.exec(query.get("fieldSelector") ?? "")?.[1];
    if (name === undefined) throw new Error(`a watch of all nodes: ${query}`);
    const timer = setTimeout(() => this.#end(socket), Number(query.get("timeoutSeconds")) * 1000);
    socket.on("close", () => {
      clearTimeout(timer);
      this.#watchers.delete(socket);
    });
    this.#watchers.set(socket, name);
    const node = this.#objects.nodes.get(name);
    socket.write(STREAM_HEAD + (node === undefined ? "" : eventOf("ADDED", node)));
  }
}

function eventOf(type: string, object: StoredNode): string {
  return chunk(`${JSON.stringify({ type, object } satisfies Json<V1WatchEvent>)}\n`);
}
