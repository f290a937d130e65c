import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { removeDurably, unfinishedOf, writeAtomically } from "../../../src/install/target/atomic-file.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/wasp-whole-file-`);
  mkdirSync(`${folder}/crio.conf.d`);
});

afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["crio.conf.d/50-wasp.conf", ".50-wasp.conf.wasp-unfinished"],
  ["wasp-swap.json", ".wasp-swap.json.wasp-unfinished"],
  ["missing.conf.d/50-wasp.conf", "missing.conf.d/.50-wasp.conf.wasp-unfinished"],
  ["hooks.d/wasp-swap.json", "hooks.d/.wasp-swap.json.wasp-unfinished"],
])("%s is made where nobody reads half of it", (path, unfinished) => {
  expect(unfinishedOf(`${folder}/${path}`)).toBe(`${folder}/${unfinished}`);
});

test("a drop-in is alone in its folder, and leaves nothing behind when it goes", () => {
  const path = `${folder}/crio.conf.d/50-wasp.conf`;
  writeAtomically(path, { text: "[crio]\n" }, { mode: 0o644 });
  expect(readFileSync(path, "utf8")).toBe("[crio]\n");
  expect(readdirSync(`${folder}/crio.conf.d`)).toEqual(["50-wasp.conf"]);
  removeDurably(path);
  expect(readdirSync(folder)).toEqual(["crio.conf.d"]);
});
