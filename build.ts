// Builds dist/wasp, one executable with everything in it: `bun build.ts [--arch x64|arm64] [--outfile FILE]`.
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { $ } from "bun";
import { version } from "./package.json";

const TARGETS = { x64: "bun-linux-x64", arm64: "bun-linux-arm64" } as const;

/** A processor architecture that wasp is built for. */
export type Arch = keyof typeof TARGETS;

/**
 * Compiles an entry point to an executable, put in place by rename; throws when the bundler fails. The tests build
 * their reference programs with it, so that they differ from wasp in nothing else.
 */
export async function compile(entry: string, outfile: string, arch: Arch, commit: string): Promise<void> {
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
      minify: { whitespace: true, syntax: true, identifiers: true, keepNames: true },
      sourcemap: "inline",
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
    if (!result.success) throw new AggregateError(result.logs, `${entry} was not built`);
    await rename(built, outfile);
  } finally {
    await rm(workDirectory, { recursive: true });
  }
}

/** Runs wasp's own build for the command line above. */
async function buildWasp(): Promise<void> {
  const { values } = parseArgs({
    options: { arch: { type: "string", default: process.arch }, outfile: { type: "string" } },
  });
  const { arch } = values;
  if (!isArch(arch)) throw new Error(`--arch ${arch}: must be one of ${Object.keys(TARGETS).join(", ")}`);
  const isNative = arch === process.arch;
  const outfile = resolve(values.outfile ?? `${import.meta.dir}/dist/${isNative ? "wasp" : `wasp-${arch}`}`);
  const commit = await commitOfTree();
  await compile(`${import.meta.dir}/src/main.ts`, outfile, arch, commit);
  if (isNative) await smokeRun(outfile, `wasp ${version} (${commit})`);
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
