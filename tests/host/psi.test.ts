import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { readPressure } from "../../src/host/psi.ts";
import { FakeNode } from "../node/fake-node.ts";

const SOME = "some avg10=12.34 avg60=5.00 avg300=0.01 total=123456789\n";
const FULL = "full avg10=1.00 avg60=0.50 avg300=0.00 total=456\n";
const some = {
  avg10Percent: 12.34,
  avg60Percent: 5,
  avg300Percent: 0.01,
  totalMicroseconds: 123_456_789,
};
const full = { avg10Percent: 1, avg60Percent: 0.5, avg300Percent: 0, totalMicroseconds: 456 };

let node: FakeNode;
beforeEach(() => {
  node = new FakeNode(2);
});
afterEach(() => node[Symbol.dispose]());

describe("pressure", () => {
  test.each<[string, string, ReturnType<typeof readPressure>]>([
    ["of some and all tasks", SOME + FULL, { some, full }],
    ["of the CPU on older kernels", SOME, { some, full: undefined }],
  ])("%s", (_, text, pressure) => {
    node.write("/proc/pressure/memory", text);
    expect(readPressure(`${node.root}/proc/pressure/memory`)).toEqual(pressure);
  });

  test("is undefined on a kernel without it", () => {
    expect(readPressure(`${node.root}/proc/pressure/memory`)).toBeUndefined();
  });

  test.each(["", FULL, "some avg10=x avg60=0.00 avg300=0.00 total=0\n"])(
    "in a malformed file: %j",
    (text) => {
      node.write("/proc/pressure/memory", text);
      expect(() => readPressure(`${node.root}/proc/pressure/memory`)).toThrow(
        "/proc/pressure/memory: no line",
      );
    },
  );

  test("that cannot be read for another reason is an error", () => {
    mkdirSync(`${node.root}/proc/pressure/memory`, { recursive: true });
    expect(() => readPressure(`${node.root}/proc/pressure/memory`)).toThrow("Is a directory");
  });
});
