import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { unifiedChange } from "../../../src/policy/limits/spec-change.ts";
import { MEMORY_FILES, type Unified } from "../../../src/policy/memory-qos/files.ts";

describe("what a running container is written", () => {
  test.each<[string, Unified, Unified, Unified, Unified]>([
    ["nothing where all is so", { "memory.high": "1" }, {}, { "memory.high": "1" }, {}],
    ["what is new", {}, {}, { "memory.high": "1" }, { "memory.high": "1" }],
    [
      "what is another",
      { "memory.high": "1", "memory.low": "1" },
      {},
      { "memory.high": "2", "memory.low": "1" },
      { "memory.high": "2" },
    ],
    [
      "what its spec had before wasp",
      { "memory.high": "1" },
      { "memory.high": "7", "memory.low": "5" },
      {},
      { "memory.high": "7" },
    ],
    [
      "what it would have had without wasp",
      { "memory.high": "1", "memory.swap.max": "max", "memory.low": "1", "memory.oom.group": "1" },
      {},
      {},
      { "memory.high": "max", "memory.swap.max": "0", "memory.low": "0", "memory.oom.group": "0" },
    ],
  ])("%s", (_, given, original, wanted, change) => {
    expect(unifiedChange({ given, original }, wanted)).toEqual(change);
  });
});

test("what is written makes of what was given what is wanted, and of the rest what was there before", () => {
  const unified = fc.dictionary(fc.constantFrom(...MEMORY_FILES), fc.constantFrom("0", "1", "4096", "max"));
  fc.assert(
    fc.property(unified, unified, unified, (given, original, wanted) => {
      const change = unifiedChange({ given, original }, wanted);
      const after: Unified = { ...original, ...given, ...change };
      for (const file of Object.keys(wanted)) expect(after[file]).toBe(wanted[file] as string);
      for (const file of Object.keys(original))
        if (!(file in wanted)) expect(after[file]).toBe(original[file] as string);
      // Nothing that neither wasp nor anybody asks for is touched.
      for (const file of Object.keys(change)) expect(file in given || file in wanted).toBe(true);
    }),
  );
});
