import { statSync } from "node:fs";
import { PodListReader } from "../cluster/pod-list-reader.ts";
import { readFile } from "../host/file.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";

const MAX_LIST_BYTES = 64 * 2 ** 20;

/** The pods of a PodList in a file, which somebody may write anew. */
export class PodsFile {
  readonly #path: string;
  readonly #onProblem: (error: Error) => void;
  #pods: readonly Pod[] = [];
  #readFrom = "";

  /** Throws an Error that names the file when there is no PodList in it; what is wrong later on is told instead. */
  constructor(path: string, onProblem: (error: Error) => void) {
    this.#path = path;
    this.#onProblem = onProblem;
    this.#readIfChanged();
  }

  /** The pods as they are in the file, or were while it could be understood. */
  pods(): readonly Pod[] {
    try {
      this.#readIfChanged();
    } catch (error) {
      this.#onProblem(error as Error);
    }
    return this.#pods;
  }

  #readIfChanged(): void {
    const { ino, mtimeNs, size } = statSync(this.#path, { bigint: true });
    const version = `${ino} ${mtimeNs} ${size}`;
    if (version === this.#readFrom) return;
    this.#readFrom = version;
    const { pods, problems } = this.#read();
    this.#pods = pods;
    for (const problem of problems) this.#onProblem(new Error(`${this.#path}: ${problem}`));
  }

  #read() {
    const text = readFile(this.#path, MAX_LIST_BYTES);
    const reader = new PodListReader(new Map());
    try {
      reader.push(new TextEncoder().encode(text));
      return reader.end();
    } catch (error) {
      throw new Error(`${this.#path}: ${(error as Error).message}`);
    }
  }
}
