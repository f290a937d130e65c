// Builds dist/wasp, a self-contained executable, or with --image a container image of it and the C library:
// `bun build.ts [--image] [--arch x64|arm64] [--outfile FILE]`.
import { chmod, copyFile, exists, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { $, type BunPlugin } from "bun";
import { license, version } from "./package.json";

const TARGETS = { x64: "bun-linux-x64", arm64: "bun-linux-arm64" } as const;

/** Processor architecture that wasp is built for. */
export type Arch = keyof typeof TARGETS;

/** Builds wasp with the flags of the command line. */
async function buildWasp(): Promise<void> {
  const { values } = parseArgs({
    options: {
      arch: { type: "string", default: process.arch },
      image: { type: "boolean", default: false },
      outfile: { type: "string" },
    },
  });
  const { arch, image } = values;
  if (!isArch(arch)) throw new Error(`--arch ${arch}: must be one of ${Object.keys(TARGETS).join(", ")}`);
  const isNative = arch === process.arch;
  const standard = `${import.meta.dir}/dist/${isNative ? "wasp" : `wasp-${arch}`}`;
  const outfile = resolve(values.outfile ?? (image ? `${standard}-image.tar` : standard));
  const program = image ? `${dirname(outfile)}/${basename(standard)}` : outfile;
  const commit = await commitOfTree();
  await compile(`${import.meta.dir}/src/main.ts`, program, arch, commit);
  if (isNative) await smokeRun(program, `wasp ${version} (${commit})`);
  if (image) await writeImage(program, outfile, arch, commit);
  const size = `${(Bun.file(outfile).size / 1e6).toFixed(0)} MB`;
  console.log(
    `${outfile}: wasp ${version} (${commit}), ${size}${isNative ? "" : `, for ${arch}, not run on this host`}`,
  );
}

function isArch(text: string): text is Arch {
  return Object.hasOwn(TARGETS, text);
}

async function commitOfTree(): Promise<string> {
  const head = await $`git rev-parse --short=12 HEAD`
    .cwd(import.meta.dir)
    .nothrow()
    .quiet();
  if (head.exitCode !== 0) return "unknown commit";
  const status = await $`git status --porcelain --untracked-files=no`.cwd(import.meta.dir).quiet();
  return head.text().trim() + (status.text() === "" ? "" : ", modified");
}

// A build can succeed with a binary that throws at its start, so the artifact itself is run.
async function smokeRun(binary: string, expected: string): Promise<void> {
  const run = await $`${binary} --version`.env({}).nothrow().quiet();
  if (run.text().trim() === expected) return;
  throw new Error(
    `${binary} --version printed ${JSON.stringify(run.text())}, not ${expected}: ${run.stderr}`,
  );
}

/**
 * Compiles an entry point to an executable, replaces `outfile` atomically, and returns the bundle's metafile. Throws if the
 * bundler fails. The tests build their reference programs with it, with the same flags as wasp.
 */
export async function compile(
  entry: string,
  outfile: string,
  arch: Arch,
  commit: string,
): Promise<Bun.BuildMetafile> {
  await mkdir(dirname(outfile), { recursive: true });
  const workDirectory = await mkdtemp(`${dirname(outfile)}/.build-`);
  try {
    const built = `${workDirectory}/program`;
    const result = await Bun.build({
      entrypoints: [entry],
      target: "bun",
      format: "esm",
      // Splitting and bytecode together: only the command that runs is loaded, and its code needs no parsing.
      splitting: true,
      bytecode: true,
      plugins: [hookInOneChunk],
      minify: { whitespace: true, syntax: true, identifiers: true, keepNames: true },
      sourcemap: "inline",
      metafile: true,
      define: {
        "process.env.NODE_ENV": JSON.stringify("production"),
        "process.env.WASP_VERSION": JSON.stringify(version),
        "process.env.WASP_COMMIT": JSON.stringify(commit),
      },
      compile: {
        target: TARGETS[arch],
        outfile: built,
        // A binary that runs as root must not execute files of its working directory, nor code from its environment.
        autoloadDotenv: false,
        autoloadBunfig: false,
        execArgv: ["--disallow-code-generation-from-strings=strict"],
      },
    });
    if (!result.success || result.metafile === undefined)
      throw new AggregateError(result.logs, `${entry} was not built`);
    await rename(built, outfile);
    return result.metafile;
  } finally {
    await rm(workDirectory, { recursive: true });
  }
}

const HOOK = `${import.meta.dir}/src/commands/hook.ts`;
const COPY_SUFFIX = "?hook";

/**
 * Bundles a separate copy of each module that the hook imports. A module that several commands share otherwise becomes a
 * separate chunk, and each chunk that is loaded delays the hook, and so the start of every container.
 */
const hookInOneChunk: BunPlugin = {
  name: "hook-in-one-chunk",
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ path, importer, kind }) => {
      const file = resolve(dirname(importer), path);
      // Its dynamic imports stay in shared chunks.
      const isCopied = file === HOOK || (importer.endsWith(COPY_SUFFIX) && kind === "import-statement");
      return isCopied ? { path: file + COPY_SUFFIX } : undefined;
    });
    build.onLoad({ filter: /\?hook$/ }, async ({ path }) => ({
      contents: await Bun.file(path.slice(0, -COPY_SUFFIX.length)).text(),
      loader: "ts",
    }));
  },
};

// Without a registry: a node uses an image of this name only if it was loaded there, and never pulls it.
const IMAGE_NAME = `localhost/wasp:${version}`;

// The architecture's name in the image format, and Debian's folder of its glibc, which its dynamic loader searches without
// a cache.
const PLATFORMS = {
  x64: { architecture: "amd64", libraries: "/lib/x86_64-linux-gnu" },
  arm64: { architecture: "arm64", libraries: "/lib/aarch64-linux-gnu" },
} as const;

/**
 * Writes an OCI image archive of an executable and this host's libraries that it links. Throws if a library is missing.
 * The build is reproducible: the executable and the libraries determine every byte of the archive.
 */
export async function writeImage(
  program: string,
  outfile: string,
  arch: Arch,
  commit: string,
): Promise<void> {
  await mkdir(dirname(outfile), { recursive: true });
  const work = await mkdtemp(`${dirname(outfile)}/.image-`);
  try {
    const { architecture, libraries } = PLATFORMS[arch];
    for (const [path, source] of await imageFiles(program, libraries)) {
      await mkdir(dirname(`${work}/root${path}`), { recursive: true });
      await copyFile(source, `${work}/root${path}`);
      await chmod(`${work}/root${path}`, 0o755);
    }
    await pack(`${work}/root`, `${work}/layer.tar`);
    await writeLayout(`${work}/layout`, await Bun.file(`${work}/layer.tar`).bytes(), architecture, commit);
    await pack(`${work}/layout`, `${work}/image.tar`);
    await rename(`${work}/image.tar`, outfile);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Returns the files of the image: the path in the image, and the source on this host. */
async function imageFiles(program: string, libraries: string): Promise<Map<string, string>> {
  const { interpreter, needed } = await linksOf(program);
  if (interpreter === undefined) throw new Error(`${program} is not a dynamically linked executable`);
  const loader = basename(interpreter);
  const files = new Map([
    ["/usr/local/bin/wasp", program],
    [interpreter, `${libraries}/${loader}`],
  ]);
  const names = new Set([loader, ...needed]);
  for (const name of names) {
    const library = `${libraries}/${name}`;
    if (!(await exists(library))) {
      throw new Error(
        `${library} does not exist, but ${program} links it: on Debian it is in libc6 of its architecture`,
      );
    }
    if (name !== loader) files.set(library, library);
    for (const next of (await linksOf(library)).needed) names.add(next);
  }
  return files;
}

async function linksOf(elf: string): Promise<{ interpreter: string | undefined; needed: string[] }> {
  const headers = await $`readelf --wide --program-headers --dynamic ${elf}`.text();
  return {
    interpreter: /program interpreter: (.+)\]/.exec(headers)?.[1],
    needed: [...headers.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = ""]) => name),
  };
}

/** Packs a folder's contents reproducibly: sorted, without owner and time. */
async function pack(folder: string, tarball: string): Promise<void> {
  const names = (await readdir(folder)).sort();
  const reproducible = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await $`tar --create --file ${tarball} --directory ${folder} --format=ustar ${reproducible} --mode=u=rwX,go=rX ${names}`;
}

/** Writes an image with one layer in the layout of the OCI image specification. */
async function writeLayout(
  folder: string,
  layer: Uint8Array<ArrayBuffer>,
  architecture: string,
  commit: string,
): Promise<void> {
  const writeBlob = async (kind: string, content: string | Uint8Array) => {
    const digest = digestOf(content);
    const size = await Bun.write(`${folder}/blobs/${digest.replace(":", "/")}`, content);
    return { mediaType: `application/vnd.oci.image.${kind}`, digest, size };
  };
  const platform = { architecture, os: "linux" };
  // Halves the bytes to push and to pull. Reproducible, because package.json pins Bun and so its compressor.
  const compressed = Bun.gzipSync(layer, { library: "libdeflate" });
  const layers = [await writeBlob("layer.v1.tar+gzip", compressed)];
  const image = {
    ...platform,
    config: {
      User: "0",
      Entrypoint: ["/usr/local/bin/wasp"],
      Cmd: ["agent"],
      Labels: {
        "org.opencontainers.image.title": "wasp",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": commit,
        // Licenses of wasp and of the GNU C library.
        "org.opencontainers.image.licenses": `${license} AND LGPL-2.1-or-later`,
      },
    },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  };
  const config = await writeBlob("config.v1+json", JSON.stringify(image));
  const versions = (kind: string) => ({ schemaVersion: 2, mediaType: `application/vnd.oci.image.${kind}` });
  const body = JSON.stringify({ ...versions("manifest.v1+json"), config, layers });
  const manifest = await writeBlob("manifest.v1+json", body);
  // The image name for podman and for containerd.
  const annotations = {
    "org.opencontainers.image.ref.name": IMAGE_NAME,
    "io.containerd.image.name": IMAGE_NAME,
  };
  const manifests = [{ ...manifest, platform, annotations }];
  await Bun.write(`${folder}/index.json`, JSON.stringify({ ...versions("index.v1+json"), manifests }));
  await Bun.write(`${folder}/oci-layout`, JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

function digestOf(content: string | Uint8Array): string {
  return `sha256:${new Bun.CryptoHasher("sha256").update(content).digest("hex")}`;
}

if (import.meta.main) await buildWasp();
