import { JsonPruner } from "./json-pruner.ts";
import { KEPT_OF_POD } from "./kept-of-pod.ts";

/** Sizes of the text of one pod, in bytes. */
export interface PodTextLimits {
  /** Largest text that is kept whole; of a larger one, only the fields that decisions depend on are. */
  readonly wholeBytes: number;
  /** Largest text that is read. */
  readonly maxBytes: number;
  /** Largest text that is kept of those fields. */
  readonly maxKeptBytes: number;
}

// Most pods have 5 to 50 KiB. etcd limits an object to 1.5 MiB by default; in JSON a byte of it may become six.
const LIMITS: PodTextLimits = { wholeBytes: 256 * 1024, maxBytes: 16 * 2 ** 20, maxKeptBytes: 2 ** 20 };

/** JSON text of one pod as it arrives, in memory that is bounded whatever the pod's author wrote. */
export class PodText {
  readonly #limits: PodTextLimits;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #pruner: JsonPruner | undefined;

  constructor(limits = LIMITS) {
    this.#limits = limits;
  }

  /** Takes the next bytes, which may change after the call. */
  append(bytes: Uint8Array): void {
    const { wholeBytes, maxBytes, maxKeptBytes } = this.#limits;
    this.#bytes += bytes.length;
    if (this.#bytes <= wholeBytes) {
      // A copy: a view would keep the whole chunk that it is in.
      this.#pieces.push(bytes.slice());
      return;
    }
    this.#pruner ??= this.#prune();
    if (this.#bytes <= maxBytes && this.#pruner.bytes <= maxKeptBytes) this.#pruner.push(bytes);
  }

  /** Description of the bound that the text exceeds; undefined if it exceeds none. */
  get excess(): string | undefined {
    const { maxBytes, maxKeptBytes } = this.#limits;
    if (this.#bytes > maxBytes) return `its text exceeds ${maxBytes} bytes`;
    const isTooLarge = (this.#pruner?.bytes ?? 0) > maxKeptBytes;
    return isTooLarge ? `its containers and annotations exceed ${maxKeptBytes} bytes` : undefined;
  }

  /** Text, or what is kept of it. */
  get beginning(): Uint8Array {
    return this.#pruner?.text ?? Buffer.concat(this.#pieces);
  }

  #prune(): JsonPruner {
    const pruner = new JsonPruner(KEPT_OF_POD);
    for (const piece of this.#pieces) pruner.push(piece);
    this.#pieces = [];
    return pruner;
  }
}
