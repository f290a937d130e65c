import type { Image, Part } from "./image.ts";
import type { Repository } from "./registry.ts";

/**
 * Sends what a registry lacks of an image, and then names it by a tag, so that the tag never stands for half an image.
 * Each thing is told of as it is done. Whatever fails, throws.
 */
export async function push(
  image: Image,
  repository: Repository,
  tag: string,
  tell: (line: string) => void,
): Promise<void> {
  for (const blob of image.blobs) {
    if (await repository.hasBlob(blob.digest)) tell(`${describe(blob)}: there already`);
    else {
      const started = performance.now();
      await repository.uploadBlob(blob.digest, blob.file);
      tell(`${describe(blob)}: uploaded in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    }
  }
  for (const manifest of image.manifests) await putManifest(manifest, manifest.digest);
  await putManifest(image.index, tag);

  async function putManifest(part: Part, reference: string): Promise<void> {
    const { mediaType, digest, file } = part;
    const isThere = (await repository.digestOf(reference, mediaType)) === digest;
    if (!isThere) await repository.putManifest(reference, mediaType, Bun.file(file));
    const name = reference === digest ? describe(part) : `${describe(part)}, named ${reference}`;
    tell(`${name}: ${isThere ? "there already" : "written"}`);
  }
}

/** Returns what a part of an image is called when it is told of. */
export function describe({ digest, sizeBytes, mediaType }: Part): string {
  const kind = /\.image\.(\w+)\./.exec(mediaType)?.[1] ?? mediaType;
  const size = sizeBytes < 1e6 ? `${sizeBytes} bytes` : `${(sizeBytes / 1e6).toFixed(1)} MB`;
  return `${kind} ${digest.slice(0, "sha256:".length + 12)}, ${size}`;
}
