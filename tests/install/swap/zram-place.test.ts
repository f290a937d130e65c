import { describe, expect, test } from "bun:test";
import type { SwapOptions } from "../../../src/install/engine/options.ts";
import type { SwapFacts } from "../../../src/install/swap/facts.ts";
import { NO_OPTIONS, NO_SWAP, notesOf, refusalsOf, stepsOf, ZRAM_FACTS, ZRAM_OPTIONS } from "./swap-facts.ts";

describe("swap on zram", () => {
  test("notes its use of memory", () => {
    expect(stepsOf(ZRAM_FACTS, ZRAM_OPTIONS)).toContain("systemctl start wasp-swap.service");
    expect(notesOf(ZRAM_FACTS, ZRAM_OPTIONS)).toContain(
      "at a ratio of 3:1 it takes about 11 GiB when full, so that pods may use 133% of memory; without any compression it takes 32 GiB and gains nothing",
    );
  });

  test.each<[string, SwapFacts, SwapOptions, RegExp]>([
    [
      "a kernel without it",
      { ...NO_SWAP, place: { kind: "zram", isPossible: false } },
      ZRAM_OPTIONS,
      /has no zram/,
    ],
    [
      "more than memory can hold",
      ZRAM_FACTS,
      { ...ZRAM_OPTIONS, size: { kind: "overcommit", percent: 400 } },
      /192 GiB of zram is more than twice the memory, 128 GiB/,
    ],
    ["no size", ZRAM_FACTS, { ...NO_OPTIONS, target: { kind: "zram" } }, /^the size of the swap is missing/],
  ])("is refused for %s", (_, facts, options, refusal) => {
    expect(refusalsOf(facts, options)).toMatch(refusal);
  });
});
