import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Glob } from "bun";

const SRC = `${import.meta.dir}/../src`;
const files = [...new Glob("**/*.ts").scanSync(SRC)].sort();

// Files outside of a folder, and packages, that its files may import; hooks.d/ has the hook's definition.
const MAY_IMPORT: Record<string, { files: RegExp; packages: RegExp }> = {
  policy: { files: /^$/, packages: /^$/ },
  host: { files: /^(policy\/|log\/|hooks\.d\/)/, packages: /^(bun:|node:)/ },
  cluster: { files: /^(policy\/|log\/|text\/)/, packages: /./ },
  agent: { files: /^(policy\/|host\/|cluster\/|nri\/|config\/|log\/)/, packages: /./ },
  trace: { files: /^(policy\/|host\/|cluster\/|log\/|terminal\/|text\/)/, packages: /./ },
  install: {
    files: /^(policy\/|host\/|log\/|terminal\/|text\/|hooks\.d\/)/,
    packages: /^(bun$|node:|diff$)/,
  },
  "install/remote": { files: /^(policy\/|log\/|terminal\/|text\/)/, packages: /^(bun$|node:)/ },
  terminal: { files: /^$/, packages: /^node:/ },
  text: { files: /^$/, packages: /^$/ },
  log: { files: /^$/, packages: /^node:/ },
  nri: { files: /^(policy\/|log\/)/, packages: /./ },
  config: {
    files: /^(policy\/|log\/logger\.ts$|terminal\/printable\.ts$|install\/engine\/(options|part)\.ts$)/,
    packages: /^(citty|valibot|yaml|node:util)$/,
  },
};

// What in install/ may read or change a host; everything else there decides without one.
const INSTALL_IO =
  /^install\/(.*\/read[^/]*|check\/all-checks|engine\/(apply|undo-entries|journal-file|zero-limits|doers\/.*)|target\/.*|remote\/.*|plan-parts)\.ts$/;
const DOES_IO =
  /from "(node:(?!crypto|path|util)|bun[":])|\bBun\.(\$|spawn|file|write|connect|listen|serve|std)|\bfetch\(/;

function roomOf(file: string): string {
  return file.split("/")[0] ?? "";
}

function valuesOnly(source: string): string {
  return source.replace(/^import (type |\{(\s*type [^,}]+,?)+\s*\})[^;]*;/gm, "");
}

/** The files that do I/O, or import as values what does. */
function doingIo(): Set<string> {
  const sources = new Map(files.map((file) => [file, valuesOnly(readFileSync(`${SRC}/${file}`, "utf8"))]));
  const found = new Set(files.filter((file) => DOES_IO.test(sources.get(file) ?? "")));
  // A set is iterated over what is added meanwhile, too.
  for (const io of found)
    for (const [file, source] of sources) if (importsOf(file, source).files.includes(io)) found.add(file);
  return found;
}

// A regular expression, because Bun's own scan leaves out type-only imports, which count too.
function importsOf(file: string, source = readFileSync(`${SRC}/${file}`, "utf8")) {
  const specifiers = [...source.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  const [relative, packages] = [/^\./, /^[^.]/].map((kind) => specifiers.filter((name) => kind.test(name)));
  const files = (relative ?? []).map((name) => new URL(name, `file:///${file}`).pathname.slice(1));
  return { files, packages: packages ?? [] };
}

/** Finds a circle of imports, its files in order with the first one repeated; undefined without one. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    for (const imported of imports.get(file) ?? []) {
      const circle = visit(imported, [...path, file]);
      if (circle !== undefined) return circle;
    }
    finished.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = visit(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

describe("the import rule", () => {
  test("is checked on every file", () => {
    expect(files.length).toBeGreaterThan(15);
    expect(importsOf("commands/hook.ts").files).toContain("policy/limits/swap-limit.ts");
    expect(importsOf("main.ts").packages).toContain("citty");
  });

  test.each(Object.keys(MAY_IMPORT))("is of a folder that exists: %s", (folder) => {
    expect(files.some((file) => file.startsWith(`${folder}/`))).toBe(true);
  });

  test.each(files)("%s", (file) => {
    const room = roomOf(file);
    const imports = importsOf(file);
    const outside = imports.files.filter((name) => roomOf(name) !== room);
    if (file !== "main.ts") expect(outside.filter((name) => name.startsWith("commands/"))).toEqual([]);
    if (room !== "commands" && !file.startsWith("install/check/"))
      expect(imports.files.filter((name) => name.startsWith("install/check/"))).toEqual([]);
    if (room !== "commands" && file !== "main.ts")
      expect(outside.filter((name) => /^(agent|trace)\//.test(name))).toEqual([]);
    for (const [folder, rule] of Object.entries(MAY_IMPORT)) {
      if (!file.startsWith(`${folder}/`)) continue;
      const others = imports.files.filter((name) => !name.startsWith(`${folder}/`));
      expect(others.filter((name) => !rule.files.test(name))).toEqual([]);
      expect(imports.packages.filter((name) => !rule.packages.test(name))).toEqual([]);
    }
  });

  test("in install, only readers, the engine's doers, the target and remote do I/O", () => {
    const io = [...doingIo()].filter((file) => file.startsWith("install/"));
    expect(io).toContain("install/plan-parts.ts");
    expect(io.filter((file) => !INSTALL_IO.test(file))).toEqual([]);
  });

  test("has no circles", () => {
    expect(circleIn(new Map(files.map((file) => [file, importsOf(file).files])))).toBeUndefined();
  });

  test("finds a circle, and nothing else", () => {
    const tree = { a: ["b", "c"], b: ["c"], c: [] };
    expect(circleIn(new Map(Object.entries(tree)))).toBeUndefined();
    expect(circleIn(new Map(Object.entries({ ...tree, c: ["d"], d: ["b"] })))).toEqual(["b", "c", "d", "b"]);
    expect(circleIn(new Map(Object.entries({ ...tree, c: ["c"] })))).toEqual(["c", "c"]);
  });

  test("policy has no clock, no randomness, no asynchrony and no environment", () => {
    for (const file of files.filter((name) => name.startsWith("policy/"))) {
      const source = readFileSync(`${SRC}/${file}`, "utf8");
      // The name of a verdict is "await".
      expect(source.replace(/"[^"\n]*"/g, "")).not.toMatch(
        /\b(Date|Math\.random|async|await|Promise|process|Bun|performance|setTimeout|globalThis)\b/,
      );
    }
  });

  test("only displayed times come from a clock that may jump", () => {
    // The type of another's JSON reads no clock.
    const readsClock = (file: string) => /(?<!extends )\bDate\b/.test(readFileSync(`${SRC}/${file}`, "utf8"));
    const displayed = [
      "log/logger.ts",
      "agent/eviction/pressure-publisher.ts",
      "agent/agent.ts",
      "cluster/event-recorder.ts",
      "cluster/timestamp.ts",
      "host/hook-log.ts",
      "trace/recorder.ts",
    ];
    // Ages of records of an earlier process can only be computed from the clock that both share.
    const acrossRestarts = ["agent/eviction/node-record.ts", "host/kubelet-limits-mark.ts"];
    // A token expires by the clock of who issued it.
    const issued = ["cluster/credentials.ts"];
    const others = [...acrossRestarts, ...issued, "host/clock-steps.ts"];
    expect(files.filter(readsClock)).toEqual([...displayed, ...others].sort());
  });

  test("only main.ts ends the process", () => {
    for (const file of files.filter((name) => name !== "main.ts")) {
      const source = readFileSync(`${SRC}/${file}`, "utf8");
      expect(source).not.toContain("process.exit");
    }
  });

  test("no folder is a drawer", () => {
    expect(files.filter((file) => /\b(utils?|helpers?|common|misc)\b/.test(file))).toEqual([]);
  });
});
