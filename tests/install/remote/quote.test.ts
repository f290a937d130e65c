import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { quoteWords } from "../../../src/install/remote/quote.ts";

const words = fc.array(
  fc.string({ unit: "grapheme-composite" }).filter((word) => !/\p{Cc}/u.test(word)),
  { minLength: 1, maxLength: 5 },
);

describe.each([["sh"], ["bash"], ["busybox", "sh"]])("%s %s", (...shell: string[]) => {
  const wordsIn = (command: string) => {
    const run = Bun.spawnSync([...shell, "-c", `printf "%s\\0" ${command}`]);
    return run.stdout.toString().split("\0").slice(0, -1);
  };

  test("splits quoted words into the same words", () => {
    const every = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
    expect(wordsIn(quoteWords([...every, every.join(""), "", "~root", "\\\\"]))).toEqual([
      ...every,
      every.join(""),
      "",
      "~root",
      "\\\\",
    ]);
    fc.assert(
      fc.property(words, (several) => {
        expect(wordsIn(quoteWords(several))).toEqual(several);
      }),
    );
  });
});

test.each(["\n", "a\tb", "\u001b[m", "\0", "\u0085"])("%j cannot be quoted", (word) => {
  expect(() => quoteWords([word])).toThrow(
    `${JSON.stringify(word)} has a control character, which some shells cannot pass on`,
  );
});
