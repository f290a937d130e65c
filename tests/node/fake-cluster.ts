import { recordedPods } from "./fake-kubelet.ts";

/** A pod as a cluster with many holds it: what makes it another than the recorded one it is made after. */
export interface FakePod {
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly revision: number;
  /** It was deleted, and is on its way out. */
  readonly isTerminating?: boolean;
}

/** What changed: a pod without a `before` is new, one without an `after` is gone. */
export interface Change {
  readonly revision: number;
  readonly before: FakePod | undefined;
  readonly after: FakePod | undefined;
}

const DELETED = "2026-11-22T01:32:57Z";
const template = JSON.parse(recordedPods("pods-by-node.json")).items[7];

/** A pod as JSON, after a recorded one of 5 KiB, with its revision for a swap limit; lists leave its kind out. */
export function podJson({ name, uid, node, revision, isTerminating }: FakePod): object {
  const resourceVersion = String(revision);
  const annotations = { ...template.metadata.annotations, "wasp.io/swap-limit": resourceVersion };
  const deletion = isTerminating ? { deletionTimestamp: DELETED, deletionGracePeriodSeconds: 30 } : {};
  const metadata = { ...template.metadata, name, uid, resourceVersion, annotations, ...deletion };
  return { ...template, metadata, spec: { ...template.spec, nodeName: node } };
}

/** The pods of a whole cluster, and what changed since it began. */
export class FakeCluster {
  readonly pods = new Map<string, FakePod>();
  /** Of the latest change. */
  revision = 1000;
  /** What is older can no longer be asked for. */
  compactedRevision = 0;
  readonly changes: Change[] = [];
  onChange: (change: Change) => void = () => {};

  /** Pods `pod-0`, `pod-1`, ...; so many on each node, from `node-0` on. */
  constructor(pods: number, podsOnEachNode: number) {
    for (let index = 0; index < pods; index++) {
      this.put(`pod-${index}`, `node-${Math.floor(index / podsOnEachNode)}`);
    }
    this.forgetChanges();
  }

  /** Makes a pod, changes it, or moves it: no real one moves, but to a selector they look so. */
  put(name: string, node: string): void {
    const before = this.pods.get(name);
    const revision = ++this.revision;
    const after = { name, node, uid: before?.uid ?? `uid-${name}-${revision}`, revision };
    this.pods.set(name, after);
    this.#tell({ revision, before, after });
  }

  /** Deletes a pod, which then has its grace period to go. */
  terminate(name: string): void {
    const before = this.pods.get(name);
    if (before === undefined) throw new Error(`there is no pod ${name}`);
    const revision = ++this.revision;
    const after = { ...before, revision, isTerminating: true };
    this.pods.set(name, after);
    this.#tell({ revision, before, after });
  }

  remove(name: string): void {
    const before = this.pods.get(name);
    this.pods.delete(name);
    this.#tell({ revision: ++this.revision, before, after: undefined });
  }

  /** Has watches from before now expire. */
  forgetChanges(): void {
    this.compactedRevision = this.revision;
    this.changes.length = 0;
  }

  podsOn(node: string): FakePod[] {
    return [...this.pods.values()].filter((pod) => pod.node === node);
  }

  #tell(change: Change): void {
    this.changes.push(change);
    this.onChange(change);
  }
}

/** The event that whoever watches one node gets of a change; undefined when it is none of that node's. */
export function eventOf({ revision, before, after }: Change, node: string): object | undefined {
  const [was, is] = [before?.node === node, after?.node === node];
  if (!was && !is) return undefined;
  const type = is ? (was ? "MODIFIED" : "ADDED") : "DELETED";
  const pod = is ? after : before;
  return { type, object: { kind: "Pod", apiVersion: "v1", ...podJson({ ...(pod as FakePod), revision }) } };
}
