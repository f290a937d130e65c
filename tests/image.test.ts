import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { $ } from "bun";
import { type Arch, compile, writeImage } from "../build.ts";
import { license, version } from "../package.json";
import { ROOT } from "./node/binary.ts";

const COMMIT = "0123456789ab";
const folder = await mkdtemp(`${tmpdir()}/wasp-image-`);
const archive = `${folder}/a/image.tar`;
const layout = `${folder}/layout`;
const rootfs = `${folder}/rootfs`;

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

beforeAll(async () => {
  await build(`${folder}/a`);
  await unpack(archive, layout);
  await unpack(blobFile(manifest().layers[0]), rootfs);
});

afterAll(() => rm(folder, { recursive: true }));

async function build(target: string): Promise<void> {
  const arch = process.arch as Arch;
  await compile(`${ROOT}/src/main.ts`, `${target}/wasp`, arch, COMMIT);
  await writeImage(`${target}/wasp`, `${target}/image.tar`, arch, COMMIT);
}

async function unpack(tarball: string, into: string): Promise<void> {
  await mkdir(into);
  await $`tar --extract --file ${tarball} --directory ${into}`.quiet();
}

const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));
const digestOf = (content: Uint8Array) =>
  `sha256:${new Bun.CryptoHasher("sha256").update(content).digest("hex")}`;
const index = () => read(`${layout}/index.json`);
const blobFile = (blob: Blob) => `${layout}/blobs/sha256/${blob.digest.replace("sha256:", "")}`;
const manifest = () => read(blobFile(index().manifests[0]));
const config = () => read(blobFile(manifest().config));

describe("the image", () => {
  test("has the layout of the OCI image specification", async () => {
    expect((await readdir(layout)).sort()).toEqual(["blobs", "index.json", "oci-layout"]);
    expect(read(`${layout}/oci-layout`)).toEqual({ imageLayoutVersion: "1.0.0" });
    expect(index()).toMatchObject({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{ mediaType: "application/vnd.oci.image.manifest.v1+json" }],
    });
    expect(manifest()).toMatchObject({
      schemaVersion: 2,
      mediaType: index().manifests[0].mediaType,
      config: { mediaType: "application/vnd.oci.image.config.v1+json" },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }],
    });
    const layer = Bun.gunzipSync(readFileSync(blobFile(manifest().layers[0])));
    expect(config().rootfs).toEqual({ type: "layers", diff_ids: [digestOf(layer)] });
  });

  test("contains exactly the blobs that it refers to, each with its digest and size", async () => {
    const blobs: Blob[] = [index().manifests[0], manifest().config, ...manifest().layers];
    for (const blob of blobs) {
      const content = await Bun.file(blobFile(blob)).bytes();
      expect(content.length).toBe(blob.size);
      expect(digestOf(content)).toBe(blob.digest);
    }
    expect(await readdir(`${layout}/blobs/sha256`)).toHaveLength(blobs.length);
  });

  test("starts the agent as root, and sets no environment variable", () => {
    expect(config().config).toEqual({
      User: "0",
      Entrypoint: ["/usr/local/bin/wasp"],
      Cmd: ["agent"],
      Labels: {
        "org.opencontainers.image.title": "wasp",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": COMMIT,
        "org.opencontainers.image.licenses": `${license} AND LGPL-2.1-or-later`,
      },
    });
  });

  test("has its platform, and its name for the engine that loads it", () => {
    const platform = { architecture: process.arch === "x64" ? "amd64" : "arm64", os: "linux" };
    expect(config()).toMatchObject(platform);
    expect(index().manifests[0]).toMatchObject({
      platform,
      annotations: {
        "org.opencontainers.image.ref.name": `localhost/wasp:${version}`,
        "io.containerd.image.name": `localhost/wasp:${version}`,
      },
    });
  });

  test("contains wasp and the C library, owned by root and writable by nobody else", async () => {
    const listing =
      await $`tar --list --verbose --numeric-owner --file ${blobFile(manifest().layers[0])}`.text();
    const entries = listing.trim().split("\n");
    for (const entry of entries) expect(entry).toMatch(/^[d-]rwxr-xr-x 0\/0 .* 1970-01-01 /);
    const files = entries
      .filter((entry) => entry.startsWith("-"))
      .map((entry) => entry.split(" ").at(-1) ?? "");
    const library = /^lib\/[\w-]+-linux-gnu\/lib(c|m|dl|pthread)\.so\.\d$/;
    const others = files.filter((file) => !library.test(file));
    expect(others).toEqual([
      expect.stringMatching(/^lib(64)?\/ld-linux-[\w-]+\.so\.\d$/),
      "usr/local/bin/wasp",
    ]);
    expect(files).toContainEqual(expect.stringMatching(/libc\.so\.6$/));
  });

  test("contains everything that the binary needs except /proc", async () => {
    await mkdir(`${rootfs}/proc`, { recursive: true });
    // In a mount namespace, so that the mount ends with the process.
    const script = `mount -t proc proc ${rootfs}/proc && exec chroot ${rootfs} /usr/local/bin/wasp --version`;
    const run = await $`unshare --mount sh -c ${script}`
      .env({ PATH: "/usr/sbin:/usr/bin:/sbin:/bin" })
      .nothrow()
      .quiet();
    expect({ code: run.exitCode, out: run.text(), error: `${run.stderr}` }).toEqual({
      code: 0,
      out: `wasp ${version} (${COMMIT})\n`,
      error: "",
    });
  });

  test("is reproducible, byte for byte, in another folder", async () => {
    await build(`${folder}/b`);
    expect(digestOf(await Bun.file(`${folder}/b/image.tar`).bytes())).toBe(
      digestOf(await Bun.file(archive).bytes()),
    );
    expect((await readdir(`${folder}/b`)).sort()).toEqual(["image.tar", "wasp"]);
  });
});

describe("an image cannot be built from", () => {
  test("a program whose libraries do not exist on this host", async () => {
    const other: Arch = process.arch === "x64" ? "arm64" : "x64";
    const attempt = writeImage(`${folder}/a/wasp`, `${folder}/c/image.tar`, other, COMMIT);
    await expect(attempt).rejects.toThrow(
      /-linux-gnu\/ld-linux.* does not exist, .* in libc6 of its architecture/,
    );
    expect(await readdir(`${folder}/c`)).toEqual([]);
  });

  test("a program without a dynamic loader", async () => {
    const attempt = writeImage("/bin/busybox", `${folder}/d/image.tar`, process.arch as Arch, COMMIT);
    await expect(attempt).rejects.toThrow("/bin/busybox is not a dynamically linked executable");
  });
});
