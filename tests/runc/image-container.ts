/** wasp's image as runc runs it, with nothing beside it: its files, and what of a host a pod mounts. */
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { $ } from "bun";
import { type Arch, writeImage } from "../../build.ts";
import { WASP } from "../node/binary.ts";

// biome-ignore lint/suspicious/noExplicitAny: config.json of the runtime specification, as runc begins it.
type RuntimeSpec = any;

/** Exit of a container. */
export interface Ending {
  readonly exitCode: number;
  /** Standard output, then standard error. */
  readonly output: string;
}

/** The image's files, unpacked; disposing of it removes them. */
export class UnpackedImage implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the image of the compiled program, and unpacks it. */
  static async make(): Promise<UnpackedImage> {
    const folder = await mkdtemp(`${tmpdir()}/wasp-image-pod-`);
    await writeImage(WASP, `${folder}/image.tar`, process.arch as Arch, "0123456789ab");
    await $`mkdir ${folder}/layout ${folder}/rootfs`;
    await $`tar --extract --file ${folder}/image.tar --directory ${folder}/layout`;
    const layers: string[] = [];
    for (const name of await readdir(`${folder}/layout/blobs/sha256`)) {
      const blob = `${folder}/layout/blobs/sha256/${name}`;
      if ((await $`tar --list --file ${blob}`.nothrow().quiet()).exitCode === 0) layers.push(blob);
    }
    if (layers.length !== 1) throw new Error(`the image has ${layers.length} layers`);
    await $`tar --extract --file ${layers[0]} --directory ${folder}/rootfs`;
    return new UnpackedImage(folder);
  }

  /** Runs a container of it with these words after the program's name, once what runc begins with is changed. */
  async run(args: readonly string[], change: (spec: RuntimeSpec) => void): Promise<Ending> {
    const bundle = await mkdtemp(`${this.#folder}/bundle-`);
    await $`runc spec --bundle ${bundle}`;
    const spec = JSON.parse(readFileSync(`${bundle}/config.json`, "utf8"));
    Object.assign(spec.process, { terminal: false, args: ["/usr/local/bin/wasp", ...args] });
    spec.root = { path: `${this.#folder}/rootfs`, readonly: true };
    change(spec);
    await writeFile(`${bundle}/config.json`, JSON.stringify(spec));
    const id = `wasp-image-pod-${crypto.randomUUID()}`;
    const { exitCode, stdout, stderr } =
      await $`runc --root ${this.#folder}/runc run --bundle ${bundle} ${id}`.nothrow().quiet();
    return { exitCode, output: `${stdout}${stderr}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}
