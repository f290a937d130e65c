import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { valueOfKey } from "../../src/host/key-values.ts";
import { parseMemoryStat } from "../../src/host/memory-stat.ts";

const NAMES = {
  anonBytes: "anon",
  fileBytes: "file",
  shmemBytes: "shmem",
  swapCachedBytes: "swapcached",
  inactiveFileBytes: "inactive_file",
  unevictableBytes: "unevictable",
  anonRefaults: "workingset_refault_anon",
  fileRefaults: "workingset_refault_file",
};
/** Names that contain others. */
const OTHERS = ["inactive_anon", "active_file", "file_mapped", "zswap", "anon_thp", "slab"];

describe("memory.stat", () => {
  test("of a kernel", () => {
    const lines = ["anon 1", "file 2", "kernel 9", "shmem 3", "file_mapped 9", "swapcached 4", "anon_thp 9"];
    const rest = ["inactive_anon 9", "inactive_file 5", "unevictable 6", "workingset_refault_anon 7"];
    expect(parseMemoryStat([...lines, ...rest, "workingset_refault_file 8", ""].join("\n"))).toEqual({
      ...{ anonBytes: 1, fileBytes: 2, shmemBytes: 3, swapCachedBytes: 4, inactiveFileBytes: 5 },
      ...{ unevictableBytes: 6, anonRefaults: 7, fileRefaults: 8 },
    });
  });

  test("has the same figures in any order of lines, and 0 for missing ones", () => {
    const line = fc.tuple(fc.constantFrom(...Object.values(NAMES), ...OTHERS), fc.nat());
    const files = fc.uniqueArray(line, { selector: ([name]) => name });
    fc.assert(
      fc.property(files, (entries) => {
        const text = entries.map(([name, value]) => `${name} ${value}\n`).join("");
        const wanted = Object.entries(NAMES).map(([key, name]) => [key, valueOfKey(text, name)]);
        expect(parseMemoryStat(text)).toEqual(Object.fromEntries(wanted));
      }),
    );
  });
});
