import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { Glob } from "bun";
import { ROOT } from "../node/binary.ts";
import { namedFiles, planOf } from "./plan.ts";

const FILES = [...new Glob("tests/**/*.test.ts").scanSync(ROOT)];
const filesOf = (groups: readonly { readonly files: readonly string[] }[]) =>
  groups.flatMap(({ files }) => files);

test("every file runs once", () => {
  const { alone, sideBySide, guests } = planOf(FILES, false);
  expect(filesOf([...alone, ...sideBySide, ...guests]).sort()).toEqual(FILES.toSorted());
});

test("the fast run leaves out the guests and the registry alone", () => {
  const { alone, sideBySide, guests } = planOf(FILES, true);
  expect(guests).toEqual([]);
  const leftOut = FILES.filter((file) => /^tests\/(vm|sync)\//.test(file));
  expect([...filesOf([...alone, ...sideBySide]), ...leftOut].sort()).toEqual(FILES.toSorted());
});

test("each guest has a process of its own, and runs beside no other ring", () => {
  const { alone, sideBySide, guests } = planOf(FILES, false);
  expect(guests.map(({ files }) => files.length)).toEqual(guests.map(() => 1));
  expect(filesOf([...alone, ...sideBySide]).filter((file) => file.startsWith("tests/vm/"))).toEqual([]);
});

test.each(namedFiles)("%s, which the plan names, is there", (file) => {
  expect(existsSync(`${ROOT}/${file}`)).toBe(true);
});
