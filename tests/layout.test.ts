import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Glob } from "bun";

const SRC = `${import.meta.dir}/../src`;
const files = [...new Glob("**/*.ts").scanSync(SRC)].sort();

// What a room may import besides itself: files of other rooms, or the hook's definition as such, and packages.
const MAY_IMPORT: Record<string, { files: RegExp; packages: RegExp }> = {
  policy: { files: /^$/, packages: /^$/ },
  host: { files: /^(policy\/|log\/|hooks\.d\/)/, packages: /^(bun:|node:)/ },
  cluster: { files: /^(policy\/|log\/|text\/)/, packages: /./ },
  agent: { files: /^(policy\/|host\/|cluster\/|nri\/|config\/|log\/)/, packages: /./ },
  trace: { files: /^(policy\/|host\/|cluster\/|log\/|terminal\/|text\/)/, packages: /./ },
  remote: { files: /^(policy\/|log\/|terminal\/)/, packages: /^(bun$|bun:|node:)/ },
  terminal: { files: /^$/, packages: /^node:/ },
  text: { files: /^$/, packages: /^$/ },
  log: { files: /^$/, packages: /^node:/ },
  nri: { files: /^(policy\/|log\/)/, packages: /./ },
};

function roomOf(file: string): string {
  return file.split("/")[0] ?? "";
}

// Type-only imports count too, and Bun's own scan leaves them out.
function importsOf(file: string): { files: string[]; packages: string[] } {
  const source = readFileSync(`${SRC}/${file}`, "utf8");
  const specifiers = [...source.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  const [relative, packages] = [/^\./, /^[^.]/].map((kind) => specifiers.filter((name) => kind.test(name)));
  const files = (relative ?? []).map((name) => new URL(name, `file:///${file}`).pathname.slice(1));
  return { files, packages: packages ?? [] };
}

describe("the import rule", () => {
  test("is checked on every file", () => {
    expect(files.length).toBeGreaterThan(15);
    expect(importsOf("commands/hook.ts").files).toContain("policy/limits/swap-limit.ts");
    expect(importsOf("main.ts").packages).toContain("citty");
  });

  test.each(files)("%s", (file) => {
    const room = roomOf(file);
    const imports = importsOf(file);
    const outside = imports.files.filter((name) => roomOf(name) !== room);
    if (file !== "main.ts") expect(outside.filter((name) => name.startsWith("commands/"))).toEqual([]);
    if (room !== "commands" && file !== "main.ts")
      expect(outside.filter((name) => /^(agent|trace)\//.test(name))).toEqual([]);
    const rule = MAY_IMPORT[room];
    if (rule === undefined) return;
    expect(outside.filter((name) => !rule.files.test(name))).toEqual([]);
    expect(imports.packages.filter((name) => !rule.packages.test(name))).toEqual([]);
  });

  test("policy has no clock, no chance, no asynchrony and no surroundings", () => {
    for (const file of files.filter((name) => name.startsWith("policy/"))) {
      const source = readFileSync(`${SRC}/${file}`, "utf8");
      // A verdict is called "await".
      expect(source.replace(/"[^"\n]*"/g, "")).not.toMatch(
        /\b(Date|Math\.random|async|await|Promise|process|Bun|performance|setTimeout|globalThis)\b/,
      );
    }
  });

  test("a clock that jumps moves nothing but what is shown", () => {
    const tellsTime = (file: string) => /\bDate\b/.test(readFileSync(`${SRC}/${file}`, "utf8"));
    // What is not shown notices the jump.
    const shown = [
      "log/logger.ts",
      "agent/eviction/pressure-publisher.ts",
      "agent/agent.ts",
      "cluster/events.ts",
      "cluster/timestamp.ts",
      "host/hook-log.ts",
      "trace/recorder.ts",
    ];
    // What a process before this one wrote down is as old as the clock that both are shown says.
    const acrossRestarts = ["agent/eviction/node-record.ts"];
    expect(files.filter(tellsTime)).toEqual([...shown, ...acrossRestarts, "host/clock-steps.ts"].sort());
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
