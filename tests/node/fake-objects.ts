import { readFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import type {
  CoreV1Event,
  V1DeleteOptions,
  V1Eviction,
  V1Node,
  V1NodeCondition,
  V1NodeSpec,
  V1NodeStatus,
  V1ObjectMeta,
  V1Pod,
  V1Status,
} from "@kubernetes/client-node";
import type { Json, MergePatch } from "../../src/cluster/kubernetes-json.ts";
import { conflict, failure, notFound, unsupported } from "./api-answers.ts";
import { type FakeCluster, type FakePod, podJson } from "./fake-cluster.ts";
import { type Answer, answer } from "./fake-kubelet.ts";
import { PATCH_TYPES, patched } from "./merge-patch.ts";

/** Node as the fake API server stores it, with the fields that a stored node always has. */
export interface StoredNode extends Json<V1Node> {
  readonly metadata: Json<V1ObjectMeta> & { readonly name: string; readonly resourceVersion: string };
  readonly spec: Json<V1NodeSpec>;
  readonly status: Json<V1NodeStatus> & { readonly conditions: readonly Json<V1NodeCondition>[] };
}

/** Parts of a node that a test sets; taints may be null, as in JSON of other servers. */
type NodeParts = Pick<MergePatch<V1Node>, "metadata" | "spec" | "status">;

/** Request for one object, as `PATCH /api/v1/nodes/node-0`. */
export interface ObjectRequest {
  readonly line: string;
  /** Empty without a body. */
  readonly contentType: string;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
}

interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
}

const recordedNode: StoredNode = JSON.parse(
  readFileSync(new URL("../fixtures/recordings/api/node.json", import.meta.url), "utf8"),
);

/** Single objects of a cluster that the fake API server serves, and all requests for them. */
export class FakeObjects {
  readonly nodes = new Map<string, StoredNode>();
  /** Delay of every answer, those to watches of nodes included; the request is carried out at once. */
  delayMilliseconds = 0;
  /** By namespace and name. */
  readonly events = new Map<string, Json<CoreV1Event>>();
  /** Called with a node that was created or changed. */
  onNode: (node: StoredNode) => void = () => {};
  /** Oldest first, refused ones included. */
  readonly requests: ObjectRequest[] = [];
  /** Called before a request is served, for changes that others make meanwhile. */
  beforeServing: (request: ObjectRequest) => void = () => {};
  /** Called for a pod that was evicted or deleted; removes it at once by default. */
  onTermination: (podName: string) => void;
  readonly #cluster: FakeCluster;
  readonly #once = new Map<string, Answer[]>();
  readonly #always = new Map<string, Answer>();
  readonly #withheld = new Set<(request: ObjectRequest) => boolean>();
  readonly #ignored = new Set<(request: ObjectRequest) => boolean>();

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
    this.onTermination = (podName) => cluster.remove(podName);
  }

  /** Requests other than GET. */
  get writes(): ObjectRequest[] {
    return this.requests.filter(({ line }) => !line.startsWith("GET "));
  }

  /** Creates a node from the recorded one, or changes it; either gives it a new resource version. */
  putNode(name: string, change: NodeParts = {}): void {
    const before = this.nodes.get(name) ?? recordedNode;
    const resourceVersion = String(++this.#cluster.revision);
    const metadata = { ...before.metadata, ...change.metadata, name, resourceVersion };
    const node = { ...before, ...change, metadata } as StoredNode;
    this.nodes.set(name, node);
    this.onNode(node);
  }

  /** Sets the answers to the next requests of this line, one each. */
  instead(line: string, ...answers: Answer[]): void {
    this.#once.set(line, [...(this.#once.get(line) ?? []), ...answers]);
  }

  /** Sets the answer to all requests of this line. */
  always(line: string, answer: Answer): void {
    this.#always.set(line, answer);
  }

  /** Carries out the next matching request without an answer; returns a function that is true once it has come. */
  withhold(matches: (request: ObjectRequest) => boolean): () => boolean {
    this.#withheld.add(matches);
    return () => !this.#withheld.has(matches);
  }

  /** Neither carries out nor answers the next matching request; returns a function that is true once it has come. */
  ignore(matches: (request: ObjectRequest) => boolean): () => boolean {
    this.#ignored.add(matches);
    return () => !this.#ignored.has(matches);
  }

  serve({ method, path, contentType, body }: RawRequest, socket: TLSSocket): void {
    const line = `${method} ${path}`;
    const request = { line, contentType, body: body === "" ? undefined : JSON.parse(body) };
    this.requests.push(request);
    this.beforeServing(request);
    const ignored = [...this.#ignored].find((matches) => matches(request));
    if (ignored !== undefined) {
      this.#ignored.delete(ignored);
      return;
    }
    const given = this.#once.get(line)?.shift() ?? this.#always.get(line);
    const withheld = [...this.#withheld].find((matches) => matches(request));
    const answer = given ?? this.#answerTo(request);
    if (withheld !== undefined) this.#withheld.delete(withheld);
    else if (this.delayMilliseconds === 0) answer(socket);
    else setTimeout(() => answer(socket), this.delayMilliseconds);
  }

  #answerTo(request: ObjectRequest): Answer {
    for (const [pattern, serve] of this.#routes) {
      const match = pattern.exec(request.line);
      if (match !== null) return serve(request, ...match.slice(1).map(decodeURIComponent));
    }
    return failure(404, "NotFound", "the server could not find the requested resource");
  }

  readonly #routes: readonly [RegExp, (request: ObjectRequest, ...names: string[]) => Answer][] = [
    [/^GET \/version$/, () => answer("200 OK", '{"major":"1","minor":"36"}')],
    [/^GET \/api\/v1\/nodes\/([^/]+)$/, (_, name = "") => this.#getNode(name)],
    [/^PATCH \/api\/v1\/nodes\/([^/]+)$/, (request, name = "") => this.#patchNode(request, name, "spec")],
    [
      /^PATCH \/api\/v1\/nodes\/([^/]+)\/status$/,
      (request, name = "") => this.#patchNode(request, name, "status"),
    ],
    [
      /^DELETE \/api\/v1\/namespaces\/test\/pods\/([^/]+)$/,
      (request, name = "") => this.#terminate(name, request.body as Json<V1DeleteOptions>, "200 OK"),
    ],
    [
      /^POST \/api\/v1\/namespaces\/test\/pods\/([^/]+)\/eviction$/,
      (request, name = "") => this.#evict(request, name),
    ],
    [
      /^POST \/api\/v1\/namespaces\/([^/]+)\/events$/,
      (request, namespace = "") => this.#postEvent(request, namespace),
    ],
    [
      /^PATCH \/api\/v1\/namespaces\/([^/]+)\/events\/([^/]+)$/,
      (request, namespace = "", name = "") => this.#patchEvent(request, namespace, name),
    ],
  ];

  #getNode(name: string): Answer {
    const node = this.nodes.get(name);
    return node === undefined ? notFound("nodes", name) : answer("200 OK", JSON.stringify(node));
  }

  /** Patches the metadata and one part of a node: each of its two paths ignores the part of the other. */
  #patchNode({ contentType, body }: ObjectRequest, name: string, part: "spec" | "status"): Answer {
    const before = this.nodes.get(name);
    if (before === undefined) return notFound("nodes", name);
    if (!PATCH_TYPES.includes(contentType)) return unsupported();
    const patch = body as MergePatch<V1Node>;
    const version = patch.metadata?.resourceVersion ?? before.metadata.resourceVersion;
    if (version !== before.metadata.resourceVersion) return conflict("nodes", name, MODIFIED);
    const after = patched(before, patch, contentType) as StoredNode;
    this.putNode(name, { metadata: after.metadata, [part]: after[part] });
    return answer("200 OK", JSON.stringify(this.nodes.get(name)));
  }

  #evict({ body }: ObjectRequest, name: string): Answer {
    const { metadata, deleteOptions } = body as Json<V1Eviction>;
    if (metadata?.name !== name)
      return failure(400, "BadRequest", "name in URL does not match name in Eviction object");
    return this.#terminate(name, deleteOptions, "201 Created");
  }

  #terminate(name: string, options: Json<V1DeleteOptions> | undefined, success: string): Answer {
    const pod = this.#cluster.pods.get(name);
    if (pod === undefined) return notFound("pods", name);
    const uid = options?.preconditions?.uid ?? pod.uid;
    // The message of tests/fixtures/recordings/api/eviction-409-uid.http.
    const message = `the UID in the precondition (${uid}) does not match the UID in record (${pod.uid}). The object might have been deleted and then recreated`;
    if (uid !== pod.uid) return conflict("Pod", name, message);
    if (options?.dryRun === undefined && !pod.isTerminating) {
      this.#cluster.terminate(name);
      this.onTermination(name);
    }
    const status: Json<V1Status> = {
      ...{ kind: "Status", apiVersion: "v1", metadata: {} },
      ...{ status: "Success", code: 201 },
    };
    const text = success === "200 OK" ? podText({ ...pod, isTerminating: true }) : JSON.stringify(status);
    return answer(success, text);
  }

  #postEvent({ body }: ObjectRequest, namespace: string): Answer {
    const event = body as Json<CoreV1Event>;
    const { name } = event.metadata;
    // kubernetes pkg/apis/core/validation/events.go, legacyValidateEvent
    if (
      (event.involvedObject.namespace ?? "default") !== namespace ||
      event.metadata.namespace !== namespace
    ) {
      return failure(422, "Invalid", `Event "${name}" is invalid: involvedObject.namespace: Invalid value`);
    }
    const key = `${namespace}/${name}`;
    if (this.events.has(key)) return failure(409, "AlreadyExists", `events "${name}" already exists`);
    this.events.set(key, event);
    return answer("201 Created", JSON.stringify(event));
  }

  #patchEvent({ body, contentType }: ObjectRequest, namespace: string, name: string): Answer {
    const key = `${namespace}/${name}`;
    const before = this.events.get(key);
    if (before === undefined) return notFound("events", name);
    if (!PATCH_TYPES.includes(contentType)) return unsupported();
    const after = patched(before, body, contentType) as Json<CoreV1Event>;
    this.events.set(key, after);
    return answer("200 OK", JSON.stringify(after));
  }
}

const MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

function podText(pod: FakePod): string {
  return JSON.stringify({ kind: "Pod", apiVersion: "v1", ...podJson(pod) } satisfies Json<V1Pod>);
}
