import type { Image, Part } from "./image.ts";
import type { Repository } from "./registry.ts";

/**
 * Uploads the parts of an image that its registry lacks, and sets the tag last, so that it never refers to a partial image.
 * Logs each part as it is done. Throws if any request fails.
 */
export async function push(
  image: Image,
  repository: Repository,
  tag: string,
  log: (line: string) => void,
): Promise<void> {
  for (const blob of image.blobs) {
    if (await repository.hasBlob(blob.digest)) log(`${describe(blob)}: exists already`);
    else {
      const started = performance.now();
      await repository.uploadBlob(blob.digest, blob.file);
      log(`${describe(blob)}: uploaded in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    }
  }
  for (const manifest of image.manifests) await putManifest(manifest, manifest.digest);
  await putManifest(image.index, tag);

  async function putManifest(part: Part, reference: string): Promise<void> {
    const { mediaType, digest, file } = part;
    const isThere = (await repository.digestOf(reference, mediaType)) === digest;
    if (!isThere) await repository.putManifest(reference, mediaType, Bun.file(file));
    const name = reference === digest ? describe(part) : `${describe(part)}, tagged ${reference}`;
    log(`${name}: ${isThere ? "exists already" : "written"}`);
  }
}

/** Returns the description of a part of an image for the log. */
export function describe({ digest, sizeBytes, mediaType }: Part): string {
  const kind = /\.image\.(\w+)\./.exec(mediaType)?.[1] ?? mediaType;
  const size = sizeBytes < 1e6 ? `${sizeBytes} bytes` : `${(sizeBytes / 1e6).toFixed(1)} MB`;
  return `${kind} ${digest.slice(0, "sha256:".length + 12)}, ${size}`;
}
