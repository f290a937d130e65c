import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { unifiedDiff } from "../../../src/install/engine/diff.ts";

describe("a diff", () => {
  test.each([
    ["", "", ""],
    ["a\n", "a\n", ""],
    ["", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"],
    ["a\n", "", "@@ -1 +0,0 @@\n-a\n"],
    ["a\nb\nc\n", "a\nB\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"],
    ["a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"],
    [
      "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n",
      "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n12\n",
      "@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -8,5 +9,4 @@\n 8\n 9\n 10\n-11\n 12\n",
    ],
  ])("from %j to %j", (before, after, diff) => {
    expect(unifiedDiff(before, after)).toBe(diff);
  });

  test("of more changed lines than anybody reads shows one text that replaces the other", () => {
    const text = (word: string) => Array.from({ length: 6000 }, (_, index) => `${word} ${index}\n`);
    const before = text("old").with(3000, "common\n");
    const after = text("new").with(3000, "common\n");
    const lines = [...before.map((line) => `-${line}`), ...after.map((line) => `+${line}`)];
    expect(unifiedDiff(before.join(""), after.join(""))).toBe(`@@ -1,6000 +1,6000 @@\n${lines.join("")}`);
    expect(unifiedDiff(before.join(""), "")).toBe(
      `@@ -1,6000 +0,0 @@\n${before.map((line) => `-${line}`).join("")}`,
    );
    expect(unifiedDiff(`${before.join("")}end`, "")).toEndWith("-end\n\\ No newline at end of file\n");
  });

  test("turns one text into the other when git applies it", () => {
    const folder = mkdtempSync(`${tmpdir()}/wasp-diff-`);
    const apply = ["git", "apply", "--whitespace=nowarn", "-"];
    // git apply needs other file headers for a file that is created or deleted.
    const lines = fc.array(fc.constantFrom("a", "b", "c", ""), { minLength: 2, maxLength: 20 });
    const text = lines.map((words) => words.join("\n"));
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after);
        writeFileSync(`${folder}/text`, before);
        const patch = `--- a/text\n+++ b/text\n${unifiedDiff(before, after)}`;
        const { stderr } = Bun.spawnSync(apply, { cwd: folder, stdin: Buffer.from(patch) });
        expect(stderr.toString()).toBe("");
        expect(readFileSync(`${folder}/text`, "utf8")).toBe(after);
      }),
      { numRuns: 60 },
    );
    rmSync(folder, { recursive: true });
  });
});
