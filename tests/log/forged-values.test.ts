import { describe, expect, test } from "bun:test";
import { formatEvent, quoteValue, shorten } from "../../src/log/format-event.ts";
import { LOG_FORMATS, Logger } from "../../src/log/logger.ts";
import { Random } from "../sim/random.ts";
import { parseLine } from "./parse-line.ts";

const HOOK_CHARACTERS = 400;
const LOGGER_CHARACTERS = 4096;

// What ends a value, a line or a terminal's patience, beside what does not.
const PIECES = [
  ..."ab01/=\" \\'\n\r\t\0\u001b\u009b\u0085\u00a0\u00f6\u2028\u202e\ufeff\u{1f600}\ud800\udc00",
  "\nhook-failed id=x",
  '" reason=limited-swap limitBytes=max "',
];

function hostileValue(random: Random, length: number): string {
  const odd = random.pick([0, 0.02, 0.5, 1]);
  let value = "";
  while (value.length < length) value += random.chance(odd) ? random.pick(PIECES) : "x";
  return value;
}

function expectHonest(value: string, maxCharacters: number): void {
  const lengths = { lineBytes: 16 * 1024, valueCharacters: maxCharacters };
  const line = formatEvent("swap-limit-left", { pod: value, reason: "sandbox" }, lengths);
  const { event, values } = parseLine(line);
  const isShort =
    value.length <= maxCharacters && quoteValue(value, Number.MAX_SAFE_INTEGER).length <= maxCharacters;
  // Not an expect() for each of a million values: it would take most of the time.
  const isHonest =
    event === "swap-limit-left" &&
    Object.keys(values).join() === "pod,reason" &&
    values["reason"] === "sandbox" &&
    (isShort ? values["pod"] === value : isShortened(values["pod"], value)) &&
    line.length <= maxCharacters + 60;
  if (!isHonest) throw new Error(`${JSON.stringify(value)} is logged as ${line}`);
}

function isShortened(logged: string | undefined, value: string): boolean {
  if (logged === value) return true;
  const [head = "", tail = ""] = logged?.split("...") ?? [];
  return logged?.includes("...") === true && value.startsWith(head) && value.endsWith(tail);
}

describe("a value cannot forge a line", () => {
  // At the cut of the hook and of the logger, and at a smaller one, where a million values take seconds.
  test.each<[maxCharacters: number, values: number]>([
    [12, 1_000_000],
    [HOOK_CHARACTERS, 20_000],
    [LOGGER_CHARACTERS, 1000],
  ])("cut at %i characters: %i values are read back as they were", (maxCharacters, values) => {
    const random = new Random(maxCharacters);
    for (let count = 0; count < values; count += 1) {
      const length = random.chance(0.5)
        ? random.whole(maxCharacters - 12, maxCharacters + 12)
        : random.whole(0, 2 * maxCharacters);
      expectHonest(hostileValue(random, length), maxCharacters);
    }
  });

  test.each([HOOK_CHARACTERS, LOGGER_CHARACTERS])("cut at %i: escapes make up for what is cut", (cut) => {
    for (let length = cut - 20; length < cut + 20; length += 1)
      for (let escapes = 0; escapes < 40; escapes += 1)
        for (const escaped of ["\n", '"', "\\"])
          expectHonest(`${escaped.repeat(escapes)}${"x".repeat(length - escapes)}`, cut);
  });

  test("neither in the hook's lengths, where fields come after it", () => {
    for (const hostile of PIECES) {
      const line = formatEvent("swap-limit-set", { pod: hostile.repeat(HOOK_CHARACTERS), reason: "static" });
      expect(parseLine(line).values["reason"]).toBe("static");
    }
  });
});

test.each(LOG_FORMATS)("%s: a hostile value is one line, as long as an honest one", (format) => {
  for (const hostile of PIECES) {
    const lines: string[] = [];
    const logger = new Logger({ format, verbosity: 0, write: (line) => lines.push(line) });
    logger.event("info", "swap-limit-left", { pod: hostile.repeat(LOGGER_CHARACTERS), reason: "static" });
    expect(lines).toEqual([expect.stringMatching(/^[\x20-\x7e]{1,4400}$/)]);
    if (format === "Json") expect(JSON.parse(lines[0] ?? "")).toMatchObject({ reason: "static" });
  }
});

test("both ends of a value that is cut are its own", () => {
  expect(shorten("abcdefgh", 4)).toBe("ab...gh");
  expect(quoteValue("\n".repeat(40), 24)).toBe(`"${"\\n".repeat(6)}...${"\\n".repeat(6)}"`);
});
