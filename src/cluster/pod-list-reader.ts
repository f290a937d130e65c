import { SHA256 } from "bun";
import { decode, parseJson } from "./decode.ts";
import { type DecodedPod, decodePod, type PodOrigin } from "./decode-pod.ts";
import { ItemSplitter } from "./item-splitter.ts";
import { type PodList, PodListSchema, podListOf } from "./pod-list.ts";
import { PodText } from "./pod-text.ts";

/** Decoded pods of a list, by the digest of their text. */
export type DecodedPods = ReadonlyMap<string, DecodedPod>;

/** Options of a PodListReader. */
export interface PodListReaderOptions {
  readonly origin?: PodOrigin;
  /** Largest number of pods; those of the previous list come first. */
  readonly maxPods?: number;
}

// A node has 110 pods by default, and hardly one has more than 500.
const MAX_PODS = 10_000;
const MAX_FRAME_BYTES = 2 ** 20;

/**
 * Reads the JSON text of a PodList as it arrives. It buffers the text of one pod at most, and decodes only pods that differ
 * from those of the previous list: most are the same.
 *
 * One pod hides no other: a pod that is too large, no JSON, or one too many is left out by its name, and stays as it was in the
 * previous list.
 */
export class PodListReader {
  readonly #previous: DecodedPods;
  readonly #previousByUid: ReadonlyMap<string, DecodedPod>;
  readonly #origin: PodOrigin;
  readonly #maxPods: number;
  readonly #decoded = new Map<string, DecodedPod>();
  readonly #pods: DecodedPod[] = [];
  readonly #splitter: ItemSplitter;
  #text = new PodText();
  #items = 0;
  #surplus = 0;
  #newPods = 0;

  constructor(previous: DecodedPods, { origin = "kubelet", maxPods = MAX_PODS }: PodListReaderOptions = {}) {
    this.#previous = previous;
    this.#previousByUid = new Map([...previous.values()].map((it) => [it.uid, it]));
    this.#origin = origin;
    this.#maxPods = maxPods;
    this.#splitter = new ItemSplitter(
      { append: (bytes) => this.#text.append(bytes), end: (mayBeNone) => this.#endItem(mayBeNone) },
      MAX_FRAME_BYTES,
    );
  }

  /** Decoded pods, which the next reader takes as its previous ones. */
  get decoded(): DecodedPods {
    return this.#decoded;
  }

  /** Text of the list with an empty array in place of its pods. */
  get frame(): string {
    return this.#splitter.frame;
  }

  /** Takes the next piece; throws an Error if the text beside the pods is too large. */
  push(piece: Uint8Array): void {
    this.#splitter.push(piece);
  }

  /**
   * Returns the list that all pieces together form, without the pods that cannot be decoded. Throws an Error if the
   * whole is not the JSON of a PodList.
   */
  end(): PodList {
    decode(PodListSchema, this.frame, "a PodList");
    const { pods, problems } = podListOf(this.#pods);
    if (this.#surplus === 0) return { pods, problems };
    const surplus = `the list has more than ${this.#maxPods} pods: new ones are left out`;
    return { pods, problems: [...problems, surplus] };
  }

  #endItem(mayBeNone: boolean): void {
    const text = this.#text;
    this.#text = new PodText();
    if (mayBeNone && isBlank(text.beginning)) return;
    this.#items += 1;
    const { excess, beginning } = text;
    if (excess === undefined) this.#read(beginning);
    else this.#keep(`large ${this.#items}`, this.#leaveOut(new TextDecoder().decode(beginning), excess));
  }

  #read(item: Uint8Array): void {
    // A cryptographic hash: with a fast one, a tenant could make two pods that collide.
    const digest = SHA256.hash(item, "base64");
    this.#keep(digest, this.#previous.get(digest) ?? this.#decode(item));
  }

  #keep(key: string, decoded: DecodedPod): void {
    const isKnown = this.#previousByUid.has(decoded.uid);
    if (!isKnown && this.#previousByUid.size + this.#newPods >= this.#maxPods) {
      this.#surplus += 1;
      return;
    }
    if (!isKnown) this.#newPods += 1;
    this.#decoded.set(key, decoded);
    this.#pods.push(decoded);
  }

  #decode(item: Uint8Array): DecodedPod {
    const text = new TextDecoder().decode(item);
    let pod: unknown;
    try {
      pod = parseJson(text);
    } catch (error) {
      return this.#leaveOut(text, (error as Error).message);
    }
    return decodePod(pod, this.#unnamed, this.#origin);
  }

  get #unnamed(): string {
    return `pod ${this.#items - 1} of the list`;
  }

  /** Returns a pod that cannot be decoded as it was in the previous list, with its name in a message. */
  #leaveOut(beginning: string, problem: string): DecodedPod {
    const [name, namespace, uid = ""] = ["name", "namespace", "uid"].map((field) =>
      fieldIn(beginning, field),
    );
    const shown = name === undefined || namespace === undefined ? this.#unnamed : `pod ${namespace}/${name}`;
    return {
      uid,
      pod: this.#previousByUid.get(uid)?.pod,
      problems: [`${shown} is left out, and its known containers keep their limits: ${problem}`],
    };
  }
}

// Kubernetes writes a pod's names and its UID before all that its author chooses at will (kubernetes
// staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go, ObjectMeta).
function fieldIn(beginning: string, field: string): string | undefined {
  return new RegExp(`^\\s*\\{"metadata":\\{[^{}[\\]\\\\]*?"${field}":"([^"\\\\]*)"`).exec(beginning)?.[1];
}

function isBlank(text: Uint8Array): boolean {
  return text.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}
