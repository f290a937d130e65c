import { expect, test } from "bun:test";
import { parseSwaps } from "../../../src/install/swap/areas.ts";

const HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

test("/proc/swaps", () => {
  const text = `${HEAD}/dev/zram0                              partition\t1048572\t\t0\t\t100
/var/lib/my\\040swap                     file\t\t2097148\t\t1024\t\t-2
/dev/dm-1                               partition\t524284\t\t0\t\t-3
`;
  expect(parseSwaps(text)).toEqual([
    { name: "/dev/zram0", medium: "zram", sizeBytes: 1073737728, usedBytes: 0, priority: 100 },
    { name: "/var/lib/my swap", medium: "file", sizeBytes: 2147479552, usedBytes: 1048576, priority: -2 },
    { name: "/dev/dm-1", medium: "device", sizeBytes: 536866816, usedBytes: 0, priority: -3 },
  ]);
});

test("/proc/swaps without swap", () => {
  expect(parseSwaps(HEAD)).toEqual([]);
  expect(parseSwaps("")).toEqual([]);
});

test.each(["/dev/sda2 partition", "swap file 1 2 3", "/a file x 0 -2"])(
  "the invalid line %j is quoted in the error",
  (line) => {
    expect(() => parseSwaps(`${HEAD}${line}\n`)).toThrow(line);
  },
);
