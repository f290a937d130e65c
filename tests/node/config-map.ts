import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { CONFIG_FILE_HEADER } from "../../src/config/agent/config-file.ts";

/** Volume with a configuration file, as the kubelet mounts a ConfigMap. */
export class ConfigMap implements Disposable {
  readonly #folder = mkdtempSync(`${tmpdir()}/wasp-config-`);
  #version = 0;

  /** Creates a file with these knobs. */
  constructor(knobs: object) {
    this.publish(knobs);
    symlinkSync("..data/config.yaml", this.path);
  }

  /** Path of the file. */
  get path(): string {
    return `${this.#folder}/config.yaml`;
  }

  /** Replaces all knobs atomically (kubernetes pkg/volume/util/atomic_writer.go). */
  publish(knobs: object): void {
    const before = `${this.#folder}/..${this.#version}`;
    this.#version += 1;
    mkdirSync(`${this.#folder}/..${this.#version}`);
    const text = JSON.stringify({ ...CONFIG_FILE_HEADER, ...knobs });
    writeFileSync(`${this.#folder}/..${this.#version}/config.yaml`, text);
    symlinkSync(`..${this.#version}`, `${this.#folder}/..data_tmp`);
    renameSync(`${this.#folder}/..data_tmp`, `${this.#folder}/..data`);
    rmSync(before, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
