import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { unifiedChange } from "../../../src/policy/limits/spec-change.ts";
import { MEMORY_FILES, type Unified } from "../../../src/policy/memory-qos/files.ts";

describe("the update of a running container", () => {
  test.each<[string, Unified, Unified, Unified, Unified]>([
    ["is empty without a difference", { "memory.high": "1" }, {}, { "memory.high": "1" }, {}],
    ["has a new file", {}, {}, { "memory.high": "1" }, { "memory.high": "1" }],
    [
      "has a changed value",
      { "memory.high": "1", "memory.low": "1" },
      {},
      { "memory.high": "2", "memory.low": "1" },
      { "memory.high": "2" },
    ],
    [
      "restores the value of the spec before wasp",
      { "memory.high": "1" },
      { "memory.high": "7", "memory.low": "5" },
      {},
      { "memory.high": "7" },
    ],
    [
      "restores the default without wasp",
      { "memory.high": "1", "memory.swap.max": "max", "memory.low": "1", "memory.oom.group": "1" },
      {},
      {},
      { "memory.high": "max", "memory.swap.max": "0", "memory.low": "0", "memory.oom.group": "0" },
    ],
  ])("%s", (_, given, original, wanted, change) => {
    expect(unifiedChange({ given, original }, wanted)).toEqual(change);
  });
});

test("the update leads from the current values to the wanted ones, and restores all others", () => {
  const unified = fc.dictionary(fc.constantFrom(...MEMORY_FILES), fc.constantFrom("0", "1", "4096", "max"));
  fc.assert(
    fc.property(unified, unified, unified, (given, original, wanted) => {
      const change = unifiedChange({ given, original }, wanted);
      const after: Unified = { ...original, ...given, ...change };
      for (const file of Object.keys(wanted)) expect(after[file]).toBe(wanted[file] as string);
      for (const file of Object.keys(original))
        if (!(file in wanted)) expect(after[file]).toBe(original[file] as string);
      // Files that neither wasp nor the pod sets stay unchanged.
      for (const file of Object.keys(change)) expect(file in given || file in wanted).toBe(true);
    }),
  );
});
