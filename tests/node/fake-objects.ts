import { readFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import { conflict, failure, notFound, unsupported } from "./api-answers.ts";
import { type FakeCluster, type FakePod, podJson } from "./fake-cluster.ts";
import { type Answer, answer } from "./fake-kubelet.ts";
import { PATCH_TYPES, patched } from "./merge-patch.ts";

/** A node of the cluster as JSON, as much of it as is looked at. */
export interface NodeJson {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly taints?: readonly object[] | null; readonly unschedulable?: boolean };
  readonly status: { readonly conditions: readonly { readonly type: string }[] };
}

/** An event as JSON. */
export type EventJson = Readonly<Record<string, unknown>>;

/** A request for one object, as `PATCH /api/v1/nodes/node-0`. */
export interface ObjectRequest {
  readonly line: string;
  /** Empty where there is none. */
  readonly contentType: string;
  /** Parsed; undefined where there is none. */
  readonly body: unknown;
}

interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
}

const recordedNode = JSON.parse(
  readFileSync(new URL("../fixtures/recordings/api/node.json", import.meta.url), "utf8"),
);

/** The objects of a cluster that the API server serves one by one, and all that was asked for. */
export class FakeObjects {
  readonly nodes = new Map<string, NodeJson>();
  /** By namespace and name. */
  readonly events = new Map<string, EventJson>();
  /** Oldest first; also those that were refused. */
  readonly requests: ObjectRequest[] = [];
  /** Called before a request is served, by when others may have changed the objects. */
  beforeServing: (request: ObjectRequest) => void = () => {};
  /** A pod that was evicted or deleted goes as its kubelet has it: at once, unless told otherwise. */
  onTermination: (podName: string) => void;
  readonly #cluster: FakeCluster;
  readonly #once = new Map<string, Answer[]>();
  readonly #always = new Map<string, Answer>();
  readonly #withheld = new Set<(request: ObjectRequest) => boolean>();

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
    this.onTermination = (podName) => cluster.remove(podName);
  }

  /** The requests that would have changed something. */
  get writes(): ObjectRequest[] {
    return this.requests.filter(({ line }) => !line.startsWith("GET "));
  }

  /** Makes a node as it was recorded, or changes it, with another resource version. */
  putNode(name: string, change: Partial<NodeJson> = {}): void {
    const before = this.nodes.get(name) ?? recordedNode;
    const resourceVersion = String(++this.#cluster.revision);
    const metadata = { ...before.metadata, ...change.metadata, name, resourceVersion };
    this.nodes.set(name, { ...before, ...change, metadata });
  }

  /** Gives these answers to the next requests of a line, each to one. */
  instead(line: string, ...answers: Answer[]): void {
    this.#once.set(line, [...(this.#once.get(line) ?? []), ...answers]);
  }

  /** Gives this answer to all requests of a line. */
  always(line: string, answer: Answer): void {
    this.#always.set(line, answer);
  }

  /** Carries out the next request of a kind, and never answers it; tells whether it has come. */
  withhold(isMeant: (request: ObjectRequest) => boolean): () => boolean {
    this.#withheld.add(isMeant);
    return () => !this.#withheld.has(isMeant);
  }

  serve({ method, path, contentType, body }: RawRequest, socket: TLSSocket): void {
    const line = `${method} ${path}`;
    const request = { line, contentType, body: body === "" ? undefined : JSON.parse(body) };
    this.requests.push(request);
    this.beforeServing(request);
    const given = this.#once.get(line)?.shift() ?? this.#always.get(line);
    const meant = [...this.#withheld].find((isMeant) => isMeant(request));
    const answer = given ?? this.#answerTo(request);
    if (meant === undefined) answer(socket);
    else this.#withheld.delete(meant);
  }

  #answerTo(request: ObjectRequest): Answer {
    for (const [pattern, serve] of this.#routes) {
      const match = pattern.exec(request.line);
      if (match !== null) return serve(request, ...match.slice(1).map(decodeURIComponent));
    }
    return failure(404, "NotFound", "the server could not find the requested resource");
  }

  readonly #routes: readonly [RegExp, (request: ObjectRequest, ...names: string[]) => Answer][] = [
    [/^GET \/api\/v1\/nodes\/([^/]+)$/, (_, name = "") => this.#getNode(name)],
    [/^PATCH \/api\/v1\/nodes\/([^/]+)$/, (request, name = "") => this.#patchNode(request, name, "spec")],
    [
      /^PATCH \/api\/v1\/nodes\/([^/]+)\/status$/,
      (request, name = "") => this.#patchNode(request, name, "status"),
    ],
    [/^GET \/api\/v1\/namespaces\/test\/pods\/([^/]+)$/, (_, name = "") => this.#getPod(name)],
    [
      /^DELETE \/api\/v1\/namespaces\/test\/pods\/([^/]+)$/,
      (request, name = "") => this.#terminate(name, request.body as DeleteOptions, "200 OK"),
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

  /** Each of the two paths of a node changes its own part beside the metadata, and lets the other be. */
  #patchNode({ contentType, body }: ObjectRequest, name: string, part: "spec" | "status"): Answer {
    const before = this.nodes.get(name);
    if (before === undefined) return notFound("nodes", name);
    if (!PATCH_TYPES.includes(contentType)) return unsupported();
    const patch = body as { metadata?: { resourceVersion?: string } };
    const version = patch.metadata?.resourceVersion ?? before.metadata.resourceVersion;
    if (version !== before.metadata.resourceVersion) return conflict("nodes", name, MODIFIED);
    const after = patched(before, patch, contentType) as NodeJson;
    this.putNode(name, { metadata: after.metadata, [part]: after[part] });
    return answer("200 OK", JSON.stringify(this.nodes.get(name)));
  }

  #getPod(name: string): Answer {
    const pod = this.#cluster.pods.get(name);
    return pod === undefined ? notFound("pods", name) : answer("200 OK", podText(pod));
  }

  #evict({ body }: ObjectRequest, name: string): Answer {
    const { metadata, deleteOptions } = body as { metadata: { name: string }; deleteOptions?: DeleteOptions };
    if (metadata.name !== name)
      return failure(400, "BadRequest", "name in URL does not match name in Eviction object");
    return this.#terminate(name, deleteOptions, "201 Created");
  }

  #terminate(name: string, options: DeleteOptions | undefined, success: string): Answer {
    const pod = this.#cluster.pods.get(name);
    if (pod === undefined) return notFound("pods", name);
    const uid = options?.preconditions?.uid ?? pod.uid;
    // In the words of tests/fixtures/recordings/api/eviction-409-uid.http.
    const words = `the UID in the precondition (${uid}) does not match the UID in record (${pod.uid}). The object might have been deleted and then recreated`;
    if (uid !== pod.uid) return conflict("Pod", name, words);
    if (options?.dryRun === undefined && !pod.isTerminating) {
      this.#cluster.terminate(name);
      this.onTermination(name);
    }
    const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
    const text = success === "200 OK" ? podText({ ...pod, isTerminating: true }) : JSON.stringify(status);
    return answer(success, text);
  }

  #postEvent({ body }: ObjectRequest, namespace: string): Answer {
    const event = body as EventJson & {
      metadata: { name: string; namespace: string };
      involvedObject: { namespace?: string };
    };
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
    const after = patched(before, body, contentType) as EventJson;
    this.events.set(key, after);
    return answer("200 OK", JSON.stringify(after));
  }
}

interface DeleteOptions {
  readonly preconditions?: { readonly uid?: string };
  readonly dryRun?: readonly string[];
}

const MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

function podText(pod: FakePod): string {
  return JSON.stringify({ kind: "Pod", apiVersion: "v1", ...podJson(pod) });
}
