import { SHA256 } from "bun";
import { parseJson } from "./decode.ts";
import { ItemSplitter } from "./item-splitter.ts";
import { checkPodList, decodePod, type PodList, podListOf } from "./pod-list.ts";

/** What became of the pods of a list, by the digest of their text. */
export type DecodedPods = ReadonlyMap<string, ReturnType<typeof decodePod>>;

/**
 * Reads the JSON text of a PodList as it comes. It holds one pod's text at most, and decodes only what is not among the
 * pods of the list before: a node's pods are told of again and again, and most of them stay as they are.
 */
export class PodListReader {
  readonly #before: DecodedPods;
  readonly #decoded = new Map<string, ReturnType<typeof decodePod>>();
  readonly #pods: ReturnType<typeof decodePod>[] = [];
  readonly #splitter = new ItemSplitter();

  constructor(before: DecodedPods) {
    this.#before = before;
  }

  /** What the next reader needs to know of this one's pods. */
  get decoded(): DecodedPods {
    return this.#decoded;
  }

  /** Takes the next piece in; throws an Error when a pod is not JSON. */
  push(piece: Uint8Array): void {
    for (const item of this.#splitter.push(piece)) this.#read(item);
  }

  /**
   * Gives the list that all pieces together are; a malformed pod is left out and costs no other its place. Throws an
   * Error when the whole is not JSON, or no PodList.
   */
  end(): PodList {
    checkPodList(this.#splitter.frame);
    return podListOf(this.#pods);
  }

  #read(item: Uint8Array): void {
    // Not a fast hash: whoever can make two pods alike to it could have one taken for the other.
    const digest = SHA256.hash(item, "base64");
    const pod = this.#before.get(digest) ?? this.#decode(item);
    this.#decoded.set(digest, pod);
    this.#pods.push(pod);
  }

  #decode(item: Uint8Array): ReturnType<typeof decodePod> {
    return decodePod(parseJson(new TextDecoder().decode(item)), `pod ${this.#pods.length} of the list`);
  }
}
