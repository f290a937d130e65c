// Builds dist/wasp, one executable with everything in it, or with --image a container image of nothing else:
// `bun build.ts [--image] [--arch x64|arm64] [--outfile FILE]`.
import { chmod, copyFile, exists, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { $, type BunPlugin } from "bun";
import { license, version } from "./package.json";

const TARGETS = { x64: "bun-linux-x64", arm64: "bun-linux-arm64" } as const;

/** A processor architecture that wasp is built for. */
export type Arch = keyof typeof TARGETS;

/**
 * Compiles an entry point to an executable, put in place by rename, and tells what is in it; throws when the bundler
 * fails. The tests build their reference programs with it, so that they differ from wasp in nothing else.
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
      // Together: only the command that runs is loaded, and its code needs no parsing.
      splitting: true,
      bytecode: true,
      plugins: [hookInOnePiece],
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
        // A root binary must not run what lies in its working directory, nor take code from its environment.
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
const HOOKS_OWN = "?hook";

/**
 * Gives the hook a copy of its own of each module that it imports. A module that several commands share becomes a file
 * of its own otherwise, and each file that is loaded costs the hook time, which every container waits for.
 */
const hookInOnePiece: BunPlugin = {
  name: "hook-in-one-piece",
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ path, importer, kind }) => {
      const file = resolve(dirname(importer), path);
      // What it imports lazily stays apart, and shared.
      const isCopied = file === HOOK || (importer.endsWith(HOOKS_OWN) && kind === "import-statement");
      return isCopied ? { path: file + HOOKS_OWN } : undefined;
    });
    build.onLoad({ filter: /\?hook$/ }, async ({ path }) => ({
      contents: await Bun.file(path.slice(0, -HOOKS_OWN.length)).text(),
      loader: "ts",
    }));
  },
};

// No registry: an image of this name comes from whoever loaded it on the node, and is never fetched from a stranger.
const IMAGE_NAME = `localhost/wasp:${version}`;

// As the image format names the architecture, and where Debian keeps that architecture's glibc: its dynamic loader
// looks there too, without a cache.
const PLATFORMS = {
  x64: { architecture: "amd64", libraries: "/lib/x86_64-linux-gnu" },
  arm64: { architecture: "arm64", libraries: "/lib/aarch64-linux-gnu" },
} as const;

/**
 * Writes an OCI image archive of an executable and the libraries it links, which are this host's; throws when one is
 * not here. The executable and the libraries decide every byte of it, so that anyone can build it again and compare.
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

/** The files of the image: where each lies in it, and where it comes from. */
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
        `${library} is not here, and ${program} links it: on Debian it is in libc6 of its architecture`,
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

/** Packs what is in a folder without a trace of who did it, when and in which order. */
async function pack(folder: string, tarball: string): Promise<void> {
  const names = (await readdir(folder)).sort();
  const sameForAll = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await $`tar --create --file ${tarball} --directory ${folder} --format=ustar ${sameForAll} --mode=u=rwX,go=rX ${names}`;
}

/** Writes an image of one layer as the OCI image specification lays one out. */
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
  // Half as much to push, and for each node to pull. The same bytes each time, as package.json says which Bun it is.
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
        // Of wasp, and of the GNU C library.
        "org.opencontainers.image.licenses": `${license} AND LGPL-2.1-or-later`,
      },
    },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  };
  const config = await writeBlob("config.v1+json", JSON.stringify(image));
  const versions = (kind: string) => ({ schemaVersion: 2, mediaType: `application/vnd.oci.image.${kind}` });
  const body = JSON.stringify({ ...versions("manifest.v1+json"), config, layers });
  const manifest = await writeBlob("manifest.v1+json", body);
  // The name as podman reads it, and as containerd does.
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

/** Runs wasp's own build for the command line above. */
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
    `${outfile}: wasp ${version} (${commit}), ${size}${isNative ? "" : `, for ${arch}: not run here`}`,
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

// A build can succeed and leave a binary that throws at its start, so the artifact itself is run.
async function smokeRun(binary: string, expected: string): Promise<void> {
  const run = await $`${binary} --version`.env({}).nothrow().quiet();
  if (run.text().trim() === expected) return;
  throw new Error(
    `${binary} --version printed ${JSON.stringify(run.text())}, not ${expected}: ${run.stderr}`,
  );
}

if (import.meta.main) await buildWasp();
