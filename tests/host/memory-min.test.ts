import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { MemoryMin } from "../../src/host/memory-min.ts";
import { FakeNode } from "../node/fake-node.ts";

const LEVELS = ["/kubepods.slice/pod.slice/scope", "/kubepods.slice/pod.slice", "/kubepods.slice"];
const MI = 2 ** 20;

/** Three cgroups, the protected one first, with these values. */
function nodeWith(...values: readonly string[]) {
  const node = new FakeNode(2);
  const files = LEVELS.map((level) => `/sys/fs/cgroup${level}/memory.min`);
  const set = (...texts: readonly string[]) =>
    texts.map((text, index) => node.write(files[index] ?? "", `${text}\n`));
  set(...values);
  const directories = LEVELS.map((level) => `${node.root}/sys/fs/cgroup${level}`);
  return {
    make: () => new MemoryMin(directories),
    set,
    get: () => files.map((file) => readFileSync(node.root + file, "utf8").trim()),
    fileAt: (index: number) => node.root + files[index],
    [Symbol.dispose]: () => node[Symbol.dispose](),
  };
}

const WANTED = String(64 * MI);

describe("memory.min of a cgroup", () => {
  test("is granted by all cgroups above it, and set back", () => {
    using node = nodeWith("0", "0", "0");
    const memoryMin = node.make();
    expect(memoryMin.protect(64 * MI)).toBeUndefined();
    expect(node.get()).toEqual([WANTED, WANTED, WANTED]);
    memoryMin.release();
    expect(node.get()).toEqual(["0", "0", "0"]);
  });

  test.each([[["0", "99999999", "0"]], [["0", "0", "max"]]])("keeps larger values: %j", (values) => {
    using node = nodeWith(...values);
    const memoryMin = node.make();
    expect(memoryMin.protect(64 * MI)).toBeUndefined();
    expect(node.get()).toEqual(values.map((value) => (value === "0" ? WANTED : value)));
    memoryMin.release();
    expect(node.get()).toEqual(values);
  });

  test("is left where a lower value is another's", () => {
    using node = nodeWith("0", "4096", "0");
    const memoryMin = node.make();
    expect(memoryMin.protect(64 * MI)).toBe(node.fileAt(1));
    expect(node.get()).toEqual(["0", "4096", "0"]);
    memoryMin.release();
    expect(node.get()).toEqual(["0", "4096", "0"]);
  });

  test("is set again after another program set it to 0, and left after another value", () => {
    using node = nodeWith("0", "0", "0");
    const memoryMin = node.make();
    memoryMin.protect(64 * MI);
    node.set(WANTED, WANTED, "0");
    expect(memoryMin.protect(64 * MI)).toBeUndefined();
    expect(node.get()).toEqual([WANTED, WANTED, WANTED]);
    node.set(WANTED, WANTED, "8192");
    expect(memoryMin.protect(64 * MI)).toBe(node.fileAt(2));
    memoryMin.release();
    expect(node.get()).toEqual(["0", "0", "8192"]);
  });

  test("of a killed agent is taken over by the next one", () => {
    using node = nodeWith("0", "0", "0");
    node.make().protect(32 * MI);
    const next = node.make();
    expect(next.protect(64 * MI)).toBeUndefined();
    expect(node.get()).toEqual([WANTED, WANTED, WANTED]);
    next.release();
    expect(node.get()).toEqual(["0", "0", "0"]);
  });
});
