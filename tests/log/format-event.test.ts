import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatEvent } from "../../src/log/format-event.ts";

describe("a line of the log", () => {
  test.each<[string, Record<string, string | number | undefined>, string]>([
    ["names and figures", { id: "abc", limitBytes: 4096 }, "swap-limit-set id=abc limitBytes=4096"],
    ["leaves out what is not known", { id: "abc", pod: undefined }, "swap-limit-set id=abc"],
    ["quotes blanks", { error: "no such file" }, 'swap-limit-set error="no such file"'],
    ["quotes nothing", { pod: "" }, 'swap-limit-set pod=""'],
    ["escapes quotes", { pod: 'a"b' }, 'swap-limit-set pod="a\\"b"'],
    [
      "escapes what would begin a new line",
      { pod: "a\nswap-limit-set pod=b" },
      'swap-limit-set pod="a\\nswap-limit-set pod=b"',
    ],
    [
      "escapes what a terminal would read",
      { pod: "\u001b[31mred\u009b\x7f" },
      'swap-limit-set pod="\\u001b[31mred\\u009b\\u007f"',
    ],
    ["escapes what is not ASCII", { pod: "höher" }, 'swap-limit-set pod="h\\u00f6her"'],
    ["quotes what looks like a field", { pod: "a=b" }, 'swap-limit-set pod="a=b"'],
  ])("%s", (_, fields, line) => {
    expect(formatEvent("swap-limit-set", fields)).toBe(line);
  });

  test("keeps both ends of a value that is too long", () => {
    const line = formatEvent("hook-failed", { error: `open ${"x".repeat(1000)}: No such file` });
    expect(line).toStartWith('hook-failed error="open xxx');
    expect(line).toEndWith('xxx: No such file"');
    expect(line.length).toBeLessThan(450);
  });

  test("ends where the kernel would refuse it", () => {
    const long = "ö".repeat(300);
    const line = formatEvent("hook-failed", { namespace: long, pod: long, container: long });
    expect(line.length).toBe(960);
    expect(line).toEndWith("...");
  });

  test("is one line of printable ASCII that the kernel takes, whatever is in it", () => {
    const fields = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}$/),
      fc.string({ unit: "binary", maxLength: 2000 }),
    );
    fc.assert(
      fc.property(fields, (values) => {
        const line = formatEvent("hook-failed", values);
        expect(line).toMatch(/^[\x20-\x7e]*$/);
        expect(line.length).toBeLessThanOrEqual(960);
      }),
    );
  });
});
