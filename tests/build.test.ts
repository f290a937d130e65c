import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { type Arch, compile } from "../build.ts";
import { ROOT } from "./node/binary.ts";

const folder = mkdtempSync(`${tmpdir()}/wasp-build-`);

// A program that would behave differently without any one of the build's flags.
const PROGRAM = `
const { argv, env } = process;
if (argv[2] === "eval") console.log(new Function("return 'ran'")());
else if (argv[2] === "lazy") console.log((await import("./lazy.ts")).loaded());
else if (argv[2] === "throw") throwsByName();
else console.log(JSON.stringify({ env: env.FROM_DOTENV, commit: process.env.WASP_COMMIT, isLoaded: globalThis.isLoaded }));
function throwsByName() { throw new Error("on purpose"); }
`;
const LAZY = `globalThis.isLoaded = true; export function loaded() { return globalThis.isLoaded; }`;

beforeAll(async () => {
  writeFileSync(`${folder}/main.ts`, PROGRAM);
  writeFileSync(`${folder}/lazy.ts`, LAZY);
  writeFileSync(`${folder}/.env`, "FROM_DOTENV=evil\n");
  writeFileSync(`${folder}/bunfig.toml`, 'preload = ["./evil.ts"]\n');
  writeFileSync(`${folder}/evil.ts`, 'console.log("evil");\n');
  await compile(`${folder}/main.ts`, `${folder}/out/program`, process.arch as Arch, "0123456789ab");
});

afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]) {
  const program = Bun.spawn([`${folder}/out/program`, ...args], {
    cwd: folder,
    env: {},
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([program.stdout.text(), program.stderr.text(), program.exited]);
  return { exitCode: program.exitCode, stdout: stdout.trim(), stderr };
}

describe("a built executable", () => {
  test("reads no file of its working directory, and loads a command only when it runs", async () => {
    expect(await run()).toMatchObject({ exitCode: 0, stdout: '{"commit":"0123456789ab"}' });
    expect(await run("lazy")).toMatchObject({ exitCode: 0, stdout: "true" });
  });

  test("refuses code from strings", async () => {
    const { exitCode, stdout, stderr } = await run("eval");
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain("EvalError");
  });

  test("keeps function names in stack traces", async () => {
    const { exitCode, stderr } = await run("throw");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("on purpose");
    expect(stderr).toContain("throwsByName");
  });

  test("is one file", () => {
    expect(readdirSync(`${folder}/out`)).toEqual(["program"]);
  });
});

describe("the chunks that wasp hook loads", () => {
  let built: Bun.BuildMetafile;

  beforeAll(async () => {
    built = await compile(`${ROOT}/src/main.ts`, `${folder}/wasp/wasp`, process.arch as Arch, "0123456789ab");
  });

  test("are the entry alone, which has the hook in it", () => {
    const [entry = "", ...others] = filesLoadedWith("src/main.ts");
    expect(others).toEqual([]);
    expect(Object.keys(built.outputs[entry]?.inputs ?? {})).toContainEqual(
      expect.stringContaining("src/commands/hook.ts"),
    );
  });

  // node:fs and node:util would each add a quarter of an empty program's run time.
  test.each([
    ["src/main.ts", ["bun:ffi"]],
    // Loaded only when there are flags.
    ["src/config/hook/knobs.ts", []],
  ])("import only these packages: %s, %j", (module, outside) => {
    expect(packagesOf(filesLoadedWith(module))).toEqual(outside);
  });

  test("nothing of @kubernetes/client-node is in the executable: it gives types alone", () => {
    const modules = Object.keys(built.inputs);
    expect(modules.some((file) => file.includes("node_modules/valibot/"))).toBe(true);
    expect(modules.filter((file) => file.includes("node_modules/@kubernetes/"))).toEqual([]);
  });

  function filesLoadedWith(module: string): string[] {
    const outputs = Object.entries(built.outputs);
    // A copy's name ends with ?hook.
    const [entry] =
      outputs.find(([, { entryPoint }]) => entryPoint?.replace(/\?.*/, "").endsWith(module)) ?? [];
    if (entry === undefined) throw new Error(`${module} is in no chunk`);
    const files = new Set([entry]);
    for (const file of files)
      for (const { path, kind } of built.outputs[file]?.imports ?? [])
        if (kind === "import-statement") files.add(path);
    return [...files];
  }

  function packagesOf(files: readonly string[]): string[] {
    const modules = files.flatMap((file) => Object.keys(built.outputs[file]?.inputs ?? {}));
    const imports = modules.flatMap((module) => built.inputs[module]?.imports ?? []);
    const outside = imports.filter(({ external, kind }) => external && kind === "import-statement");
    return [...new Set(outside.map(({ path }) => path))];
  }
});
