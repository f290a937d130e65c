import type { V1Pod, V1PodList, V1WatchEvent } from "@kubernetes/client-node";
import type { Json } from "../../src/cluster/kubernetes-json.ts";
import { recordedPods } from "./fake-kubelet.ts";

/** Pod of a large cluster: the fields in which it differs from the recorded pod. */
export interface FakePod {
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly revision: number;
  /** True from its deletion until its removal. */
  readonly isTerminating?: boolean;
}

/** Change of a pod: without `before` it is new, without `after` it is gone. */
export interface Change {
  readonly revision: number;
  readonly before: FakePod | undefined;
  readonly after: FakePod | undefined;
}

/** Pod of a recorded list, whose metadata, spec and status are always set. */
type RecordedPod = Required<Pick<Json<V1Pod>, "metadata" | "spec" | "status">>;

const DELETED = "2026-11-22T01:32:57Z";
const recorded: Json<V1PodList> = JSON.parse(recordedPods("pods-by-node.json"));
const template = recorded.items[7] as RecordedPod;

/** Returns a pod as JSON, like a recorded one of 5 KiB, with its revision as swap limit; as in a list, without its kind. */
export function podJson({ name, uid, node, revision, isTerminating }: FakePod): RecordedPod {
  const resourceVersion = String(revision);
  const annotations = { ...template.metadata.annotations, "wasp.io/swap-limit": resourceVersion };
  const deletion = isTerminating ? { deletionTimestamp: DELETED, deletionGracePeriodSeconds: 30 } : {};
  const metadata = { ...template.metadata, name, uid, resourceVersion, annotations, ...deletion };
  return { ...template, metadata, spec: { ...template.spec, nodeName: node } };
}

/** Pods of a whole cluster, and their changes. */
export class FakeCluster {
  readonly pods = new Map<string, FakePod>();
  /** Revision of the latest change. */
  revision = 1000;
  /** Oldest revision from which a watch can start. */
  compactedRevision = 0;
  readonly changes: Change[] = [];
  onChange: (change: Change) => void = () => {};

  /** Creates pods `pod-0`, `pod-1`, ..., with this number on each of the nodes from `node-0` on. */
  constructor(pods: number, podsOnEachNode: number) {
    for (let index = 0; index < pods; index++) {
      this.put(`pod-${index}`, `node-${Math.floor(index / podsOnEachNode)}`);
    }
    this.forgetChanges();
  }

  /** Creates a pod, changes it, or moves it to another node, which for a selector is a change too. */
  put(name: string, node: string): void {
    const before = this.pods.get(name);
    const revision = ++this.revision;
    const after = { name, node, uid: before?.uid ?? `uid-${name}-${revision}`, revision };
    this.pods.set(name, after);
    this.#record({ revision, before, after });
  }

  /** Deletes a pod, which is kept for its grace period. */
  terminate(name: string): void {
    const before = this.pods.get(name);
    if (before === undefined) throw new Error(`there is no pod ${name}`);
    const revision = ++this.revision;
    const after = { ...before, revision, isTerminating: true };
    this.pods.set(name, after);
    this.#record({ revision, before, after });
  }

  remove(name: string): void {
    const before = this.pods.get(name);
    this.pods.delete(name);
    this.#record({ revision: ++this.revision, before, after: undefined });
  }

  /** Expires all watches from earlier revisions. */
  forgetChanges(): void {
    this.compactedRevision = this.revision;
    this.changes.length = 0;
  }

  podsOn(node: string): FakePod[] {
    return [...this.pods.values()].filter((pod) => pod.node === node);
  }

  #record(change: Change): void {
    this.changes.push(change);
    this.onChange(change);
  }
}

/** Returns the event of a change in a watch of one node; undefined if it concerns another node. */
export function eventOf({ revision, before, after }: Change, node: string): Json<V1WatchEvent> | undefined {
  const [was, is] = [before?.node === node, after?.node === node];
  if (!was && !is) return undefined;
  const type = is ? (was ? "MODIFIED" : "ADDED") : "DELETED";
  const pod = is ? after : before;
  return { type, object: { kind: "Pod", apiVersion: "v1", ...podJson({ ...(pod as FakePod), revision }) } };
}
