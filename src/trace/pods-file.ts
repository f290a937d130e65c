import { statSync } from "node:fs";
import { PodListReader } from "../cluster/pod-list-reader.ts";
import { readFile } from "../host/file.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";

const MAX_LIST_BYTES = 64 * 2 ** 20;

/** Pods of a PodList in a file, which is read again after each change. */
export class PodsFile {
  readonly #path: string;
  readonly #onProblem: (error: Error) => void;
  #pods: readonly Pod[] = [];
  #readFrom = "";

  /** Throws an Error that names the file if it has no PodList; later problems are reported to onProblem. */
  constructor(path: string, onProblem: (error: Error) => void) {
    this.#path = path;
    this.#onProblem = onProblem;
    this.#readIfChanged();
  }

  /** Returns the pods of the file, or those of its last valid version. */
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
