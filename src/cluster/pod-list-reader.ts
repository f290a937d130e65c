import { SHA256 } from "bun";
import { decode, parseJson } from "./decode.ts";
import { type DecodedPod, decodePod } from "./decode-pod.ts";
import { ItemSplitter } from "./item-splitter.ts";
import { type PodList, PodListSchema, podListOf } from "./pod-list.ts";

/** Decoded pods of a list, by the digest of their text. */
export type DecodedPods = ReadonlyMap<string, DecodedPod>;

/**
 * Reads the JSON text of the kubelet's PodList as it arrives. It buffers the text of one pod at most, and decodes only pods that
 * differ from those of the previous list: most are the same.
 */
export class PodListReader {
  readonly #previous: DecodedPods;
  readonly #decoded = new Map<string, DecodedPod>();
  readonly #pods: DecodedPod[] = [];
  readonly #splitter = new ItemSplitter();

  constructor(previous: DecodedPods) {
    this.#previous = previous;
  }

  /** Decoded pods, which the next reader takes as its previous ones. */
  get decoded(): DecodedPods {
    return this.#decoded;
  }

  /** Takes the next piece; throws an Error if a pod is not JSON. */
  push(piece: Uint8Array): void {
    for (const item of this.#splitter.push(piece)) this.#read(item);
  }

  /**
   * Returns the list that all pieces together form, without the pods that cannot be decoded. Throws an Error if the
   * whole is not the JSON of a PodList.
   */
  end(): PodList {
    decode(PodListSchema, this.#splitter.frame, "a PodList");
    return podListOf(this.#pods);
  }

  #read(item: Uint8Array): void {
    // A cryptographic hash: with a fast one, a tenant could make two pods that collide.
    const digest = SHA256.hash(item, "base64");
    const pod = this.#previous.get(digest) ?? this.#decode(item);
    this.#decoded.set(digest, pod);
    this.#pods.push(pod);
  }

  #decode(item: Uint8Array): DecodedPod {
    const pod = parseJson(new TextDecoder().decode(item));
    return decodePod(pod, `pod ${this.#pods.length} of the list`, "kubelet");
  }
}
