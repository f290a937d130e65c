import { $ } from "bun";

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/** Blob or manifest of an image, and the file that contains it. */
export interface Part {
  readonly mediaType: string;
  /** Digest of the file's content, such as `sha256:0123...`. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly file: string;
}

/** Image for one or more architectures, in the order that a registry accepts: each part before the part that refers to it. */
export interface Image {
  readonly blobs: readonly Part[];
  readonly manifests: readonly Part[];
  /** Image index: refers to one manifest for each architecture. Its digest is the image's. */
  readonly index: Part;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string };
}

/** Unpacks the image archives of `build.ts`, one for each architecture, into an empty folder, and combines them into one image. */
export async function readImage(archives: readonly string[], folder: string): Promise<Image> {
  const [blobs, manifests, descriptors]: [Part[], Part[], Descriptor[]] = [[], [], []];
  for (const [position, archive] of archives.entries()) {
    const layout = `${folder}/${position}`;
    await $`mkdir ${layout} && tar --extract --file ${archive} --directory ${layout}`.quiet();
    const [manifest] = (await readJson<{ manifests: [Descriptor] }>(`${layout}/index.json`)).manifests;
    // Without its annotations, which are local image names for an engine that loads the archive.
    const { mediaType, digest, size, platform } = manifest;
    descriptors.push({ mediaType, digest, size, ...(platform && { platform }) });
    manifests.push(partOf(layout, manifest));
    const { config, layers } = await readJson<{ config: Descriptor; layers: Descriptor[] }>(
      partOf(layout, manifest).file,
    );
    blobs.push(...[config, ...layers].map((blob) => partOf(layout, blob)));
  }
  return { blobs, manifests, index: await writeIndex(`${folder}/index.json`, descriptors) };
}

// An index even for one manifest: a node of another architecture then fails to pull, instead of failing to execute.
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
