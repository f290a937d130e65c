import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { MemoryHigh } from "../../src/host/memory-high.ts";
import { FakeNode } from "../node/fake-node.ts";

const PATH = "/sys/fs/cgroup/kubepods.slice";
const none = Number.POSITIVE_INFINITY;

function nodeWith(text: string) {
  const node = new FakeNode(2);
  node.write(`${PATH}/memory.high`, `${text}\n`);
  return {
    memoryHigh: new MemoryHigh(node.root + PATH),
    set: (other: string) => node.write(`${PATH}/memory.high`, `${other}\n`),
    get: () => readFileSync(`${node.root}${PATH}/memory.high`, "utf8").trim(),
    [Symbol.dispose]: () => node[Symbol.dispose](),
  };
}

describe("memory.high of a cgroup", () => {
  test("is wasp's after wasp's write, also for the next agent", async () => {
    using node = nodeWith("max");
    expect(node.memoryHigh.isOwn()).toBe(false);
    await node.memoryHigh.write(1_048_576, none);
    expect(node.get()).toBe("1048576");
    expect(node.memoryHigh.isOwn()).toBe(true);
  });

  test("is wasp's after a crash before or after the second of two writes", async () => {
    using node = nodeWith("max");
    await node.memoryHigh.write(2_097_152, none);
    await node.memoryHigh.write(1_048_576, 2_097_152);
    node.set("2097152");
    expect(node.memoryHigh.isOwn()).toBe(true);
  });

  test("is not wasp's after a foreign write, which is left alone", async () => {
    using node = nodeWith("max");
    await node.memoryHigh.write(1_048_576, none);
    node.set("4096");
    expect(node.memoryHigh.isOwn()).toBe(false);
    await node.memoryHigh.release();
    expect(node.get()).toBe("4096");
    expect(node.memoryHigh.isOwn()).toBe(false);
  });

  test("is unlimited after its release, which removes the attribute", async () => {
    using node = nodeWith("max");
    await node.memoryHigh.write(1_048_576, none);
    await node.memoryHigh.release();
    expect(node.get()).toBe("max");
    node.set("1048576");
    expect(node.memoryHigh.isOwn()).toBe(false);
  });

  test("is unlimited after its release during a write", async () => {
    using node = nodeWith("max");
    const writing = node.memoryHigh.write(1_048_576, none);
    expect(node.memoryHigh.isBusy).toBe(true);
    await Promise.all([writing, node.memoryHigh.release()]);
    expect(node.get()).toBe("max");
    expect(node.memoryHigh.isBusy).toBe(false);
  });

  test("is named in the error if it cannot be written", async () => {
    const missing = new MemoryHigh("/nowhere/kubepods.slice");
    await expect(missing.write(1_048_576, none)).rejects.toThrow("/nowhere/kubepods.slice");
    await missing.release();
  });
});
