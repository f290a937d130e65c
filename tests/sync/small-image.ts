/** Minimal image archives in the format of build.ts. */
import { mkdir } from "node:fs/promises";
import { $ } from "bun";

/** Writes an image archive for an architecture into a folder, and returns its path. */
export async function writeSmallImage(folder: string, architecture: "amd64" | "arm64"): Promise<string> {
  const layout = `${folder}/${architecture}`;
  await mkdir(layout, { recursive: true });
  const write = async (kind: string, content: string) => {
    const digest = `sha256:${new Bun.CryptoHasher("sha256").update(content).digest("hex")}`;
    const size = await Bun.write(`${layout}/blobs/${digest.replace(":", "/")}`, content);
    return { mediaType: `application/vnd.oci.image.${kind}`, digest, size };
  };
  const platform = { architecture, os: "linux" };
  const config = await write("config.v1+json", JSON.stringify(platform));
  const layers = [await write("layer.v1.tar+gzip", `the files for ${architecture}`)];
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = await write(
    "manifest.v1+json",
    JSON.stringify({ schemaVersion: 2, mediaType, config, layers }),
  );
  const manifests = [
    { ...manifest, platform, annotations: { "io.containerd.image.name": "localhost/wasp" } },
  ];
  await Bun.write(`${layout}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }));
  await $`tar --create --file ${layout}.tar --directory ${layout} .`;
  return `${layout}.tar`;
}
