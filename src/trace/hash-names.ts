import { createHmac } from "node:crypto";
import type { Snapshot } from "../policy/eviction/snapshot.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";

const HASH_LENGTH = 12;

/**
 * Replaces names in snapshots by hashes, the same name by the same hash within a recording: of pods, their namespaces
 * and their containers, and the ids of both. Without the salt nobody can test candidate names.
 *
 * Values and their times, requests, limits, QoS classes, priorities, phases, kinds of controllers, and the values of
 * the recorded annotations are not hidden. A configuration that excludes a namespace no longer matches its name.
 */
export class NameHasher {
  readonly #salt: Uint8Array;
  readonly #hashes = new Map<string, string>();
  #pods: { readonly plain: readonly Pod[]; readonly hashed: readonly Pod[] } = { plain: [], hashed: [] };

  constructor(salt: Uint8Array) {
    this.#salt = salt;
  }

  /** Returns a copy of a snapshot, with hashes instead of names. */
  hash(snapshot: Snapshot): Snapshot {
    if (snapshot.pods !== this.#pods.plain)
      this.#pods = { plain: snapshot.pods, hashed: snapshot.pods.map((pod) => this.#hashPod(pod)) };
    const containers = snapshot.containers.map((container) => ({
      ...container,
      id: this.#hash(container.id),
      podUid: this.#hash(container.podUid),
    }));
    const podSamples = snapshot.podSamples.map((sample) => ({
      ...sample,
      podUid: this.#hash(sample.podUid),
    }));
    return { ...snapshot, containers, podSamples, pods: this.#pods.hashed };
  }

  #hashPod(pod: Pod): Pod {
    return {
      ...pod,
      uid: this.#hash(pod.uid),
      namespace: `namespace-${this.#hash(pod.namespace)}`,
      name: `pod-${this.#hash(pod.name)}`,
      annotations: Object.fromEntries(
        Object.entries(pod.annotations).map(([key, value]) => this.#hashAnnotation(key, value)),
      ),
      containers: pod.containers.map((container) => ({
        ...container,
        name: this.#hashContainerName(container.name),
        id: container.id && this.#hash(container.id),
      })),
    };
  }

  #hashAnnotation(key: string, value: string): [string, string] {
    // The hash of a static pod's manifest, which names its cgroup as a UID does.
    if (key === "kubernetes.io/config.mirror") return [key, this.#hash(value)];
    const [domain, name = ""] = key.split("/");
    return domain === "swap-limit.wasp.io"
      ? [`${domain}/${this.#hashContainerName(name)}`, value]
      : [key, value];
  }

  #hashContainerName(name: string): string {
    return `container-${this.#hash(name)}`;
  }

  #hash(text: string): string {
    let hash = this.#hashes.get(text);
    if (hash === undefined) {
      hash = createHmac("sha256", this.#salt).update(text).digest("hex").slice(0, HASH_LENGTH);
      this.#hashes.set(text, hash);
    }
    return hash;
  }
}
