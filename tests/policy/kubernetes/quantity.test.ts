import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  formatLimit,
  formatQuantity,
  formatRounded,
  parseAnyQuantity,
  parseLimit,
  parseQuantity,
} from "../../../src/policy/kubernetes/quantity.ts";

describe("a quantity", () => {
  test.each<[string, number]>([
    ["0", 0],
    ["4096", 4096],
    ["64Mi", 67_108_864],
    ["1.5Gi", 1_610_612_736],
    ["100M", 100_000_000],
    ["1k", 1000],
    ["2Ti", 2_199_023_255_552],
    ["1e9", 1_000_000_000],
    ["1E3", 1000],
    ["12E2", 1200],
    [" 8Ki ", 8192],
    ["+8Ki", 8192],
    // Rounded up, as in apimachinery's Quantity.Value.
    ["0.1", 1],
    ["1.0001Ki", 1025],
    ["100m", 1],
    ["128974848000m", 128_974_848],
    ["1000001u", 2],
    ["5n", 1],
    // As the API server writes a quantity that was given with an exponent.
    ["1e-3", 1],
    ["1500e-3", 2],
    ["1.5e+3", 1500],
    ["0.0025e3", 3],
    ["12e-0", 12],
    ["1e-999", 1],
    ["0e999999999999", 0],
    ["-0", 0],
    ["-0.0Ei", 0],
    [".5Gi", 536_870_912],
    ["5.", 5],
  ])("%p is %d bytes", (text, bytes) => {
    expect(parseQuantity(text)).toBe(bytes);
  });

  test.each([
    "",
    "-1",
    "-5Mi",
    "Mi",
    "1KB",
    "1ki",
    "1 Mi",
    "0x10",
    "1e",
    "1e999",
    "e-3",
    "9Ei",
    "max",
    "NaN",
    "Infinity",
    "1,5Gi",
    "1.2.3",
    ".",
    "+",
    "-.5",
    "-1e-999",
    "--1",
    "1e+",
    "1eMi",
    "0b1",
    "١",
  ])("%p is invalid", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  test.each([
    ["8Pi", Number.POSITIVE_INFINITY],
    ["9Ei", Number.POSITIVE_INFINITY],
    ["9223372036854775807", Number.POSITIVE_INFINITY],
    ["9223372036854775807m", Number.POSITIVE_INFINITY],
    ["9007199254740992", Number.POSITIVE_INFINITY],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["7Pi", 7 * 2 ** 50],
    ["999999999999999999999999999999E", Number.POSITIVE_INFINITY],
    ["1e999", Number.POSITIVE_INFINITY],
    ["1e999999999999999999", Number.POSITIVE_INFINITY],
    ["-8Pi", undefined],
    ["-9223372036854775808", undefined],
    ["lots", undefined],
  ])("%p of any size is %p bytes", (text, bytes) => {
    expect(parseAnyQuantity(text)).toBe(bytes as never);
    expect(parseQuantity(text)).toBe((bytes === Number.POSITIVE_INFINITY ? undefined : bytes) as never);
  });

  test("of every kind is what apimachinery's Quantity.Value gives, beyond the exact numbers Infinity", () => {
    const suffixes = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    const kinds = fc.oneof(
      fc.constantFrom(...suffixes).map((suffix) => [suffix, scaleOf(suffix)] as const),
      fc.integer({ min: -30, max: 30 }).map((power) => [`e${power}`, [10n, power] as const] as const),
    );
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.bigInt(0n, 2n ** 63n - 1n),
        kinds,
        (isNegative, digits, [suffix, scale]) => {
          const [base, power] = scale;
          const whole = power >= 0 ? digits * base ** BigInt(power) : ceilDiv(digits, base ** BigInt(-power));
          const exact = whole > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(whole);
          const expected = isNegative && digits > 0n ? undefined : exact;
          expect(parseAnyQuantity(`${isNegative ? "-" : ""}${digits}${suffix}`)).toBe(expected as never);
        },
      ),
    );
  });

  test("is a safe integer, or invalid, for any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,8}[kMGTPEKi]{0,2}$/)), (text) => {
        const bytes = parseQuantity(text);
        if (bytes !== undefined) expect(Number.isSafeInteger(bytes) && bytes >= 0).toBe(true);
      }),
    );
  });
});

test("a formatted limit is parsed to the same limit", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.maxSafeInteger().map(Math.abs), fc.constant(Number.POSITIVE_INFINITY)),
      (bytes) => {
        expect(parseLimit(formatLimit(bytes))).toBe(bytes);
        expect(parseLimit(formatQuantity(bytes))).toBe(bytes);
      },
    ),
  );
});

test.each<[number, string]>([
  [0, "0"],
  [1000, "1000"],
  [1024, "1Ki"],
  [1536 * 2 ** 20, "1536Mi"],
  [8 * 2 ** 30, "8Gi"],
  [7 * 2 ** 50, "7Pi"],
  [Number.POSITIVE_INFINITY, "max"],
])("%d bytes are %p to a person", (bytes, text) => {
  expect(formatQuantity(bytes)).toBe(text);
});

test.each<[number, string]>([
  [0, "0 B"],
  [1023.4, "1023 B"],
  [1024, "1 KiB"],
  [1.26 * 2 ** 30, "1.3 GiB"],
  [9.99 * 2 ** 20, "10 MiB"],
  [1000 * 2 ** 20, "1000 MiB"],
  [3 * 2 ** 50, "3 PiB"],
])("%p bytes are rounded for people: %s", (bytes, text) => {
  expect(formatRounded(bytes)).toBe(text);
});

/** Returns the base and the power that a suffix stands for. */
function scaleOf(suffix: string): readonly [bigint, number] {
  if (suffix === "") return [10n, 0];
  if (suffix.endsWith("i")) return [1024n, "KMGTPE".indexOf(suffix.charAt(0)) + 1];
  return [10n, 3 * ("num".includes(suffix) ? "num".indexOf(suffix) - 3 : "kMGTPE".indexOf(suffix) + 1)];
}

function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
