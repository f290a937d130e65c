import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import {
  hasSameContent,
  removeDurably,
  unfinishedOf,
  writeAtomically,
} from "../../../src/install/target/atomic-file.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/wasp-atomic-file-`);
  mkdirSync(`${folder}/crio.conf.d`);
});

afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["crio.conf.d/50-wasp.conf", ".50-wasp.conf.wasp-unfinished"],
  ["wasp-swap.json", ".wasp-swap.json.wasp-unfinished"],
  ["missing.conf.d/50-wasp.conf", "missing.conf.d/.50-wasp.conf.wasp-unfinished"],
  ["hooks.d/wasp-swap.json", "hooks.d/.wasp-swap.json.wasp-unfinished"],
])("%s is written where no program reads half of it", (path, unfinished) => {
  expect(unfinishedOf(`${folder}/${path}`)).toBe(`${folder}/${unfinished}`);
});

test("a drop-in is alone in its folder, and its removal leaves nothing behind", () => {
  const path = `${folder}/crio.conf.d/50-wasp.conf`;
  writeAtomically(path, { text: "[crio]\n" }, { mode: 0o644 });
  expect(readFileSync(path, "utf8")).toBe("[crio]\n");
  expect(readdirSync(`${folder}/crio.conf.d`)).toEqual(["50-wasp.conf"]);
  removeDurably(path);
  expect(readdirSync(folder)).toEqual(["crio.conf.d"]);
});

test.each([
  ["a copy", (bytes: Uint8Array) => bytes, true],
  ["another last byte", (bytes: Uint8Array) => bytes.with(-1, 1), false],
  ["a byte less", (bytes: Uint8Array) => bytes.subarray(1), false],
  ["nothing", () => new Uint8Array(), false],
])("the content of two files is compared to its end: %s", (_, change, isSame) => {
  // More than is read at once.
  const bytes = new Uint8Array(3_000_000);
  writeFileSync(`${folder}/one`, bytes);
  writeFileSync(`${folder}/other`, change(bytes));
  expect(hasSameContent(`${folder}/one`, `${folder}/other`)).toBe(isSame);
});
