import { $ } from "bun";

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/** A blob or a manifest of an image, and the file that it is in. */
export interface Part {
  readonly mediaType: string;
  /** Of the file's content, as in `sha256:0123...`. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly file: string;
}

/** An image for one architecture or more, as a registry takes it: each list before what names it. */
export interface Image {
  readonly blobs: readonly Part[];
  readonly manifests: readonly Part[];
  /** What names the manifests, one for each architecture. Its digest is the image's. */
  readonly index: Part;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string };
}

/** Unpacks image archives of `build.ts`, one for each architecture, into an empty folder, and makes one image of them. */
export async function readImage(archives: readonly string[], folder: string): Promise<Image> {
  const [blobs, manifests, named]: [Part[], Part[], Descriptor[]] = [[], [], []];
  for (const [position, archive] of archives.entries()) {
    const layout = `${folder}/${position}`;
    await $`mkdir ${layout} && tar --extract --file ${archive} --directory ${layout}`.quiet();
    const [manifest] = (await readJson<{ manifests: [Descriptor] }>(`${layout}/index.json`)).manifests;
    // Without the names that an engine which loads the archive is told.
    const { mediaType, digest, size, platform } = manifest;
    named.push({ mediaType, digest, size, ...(platform && { platform }) });
    manifests.push(partOf(layout, manifest));
    const { config, layers } = await readJson<{ config: Descriptor; layers: Descriptor[] }>(
      partOf(layout, manifest).file,
    );
    blobs.push(...[config, ...layers].map((blob) => partOf(layout, blob)));
  }
  return { blobs, manifests, index: await writeIndex(`${folder}/index.json`, named) };
}

// Even of one manifest: a node of another architecture says what it misses, instead of trying to run what it cannot.
async function writeIndex(file: string, manifests: readonly Descriptor[]): Promise<Part> {
  const content = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests });
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(content).digest("hex")}`;
  return { mediaType: INDEX_TYPE, digest, sizeBytes: await Bun.write(file, content), file };
}

function partOf(layout: string, { mediaType, digest, size }: Descriptor): Part {
  return { mediaType, digest, sizeBytes: size, file: `${layout}/blobs/${digest.replace(":", "/")}` };
}

function readJson<T>(file: string): Promise<T> {
  return Bun.file(file).json();
}
