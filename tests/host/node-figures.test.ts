import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { $ } from "bun";
import { readNodeFigures } from "../../src/host/node-figures.ts";
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
const MEMINFO = "MemTotal: 1000 kB\nMemFree: 1 kB\nSwapCached: 7 kB\nSwapTotal: 500 kB\nSwapFree: 400 kB\n";
const VMSTAT = "nr_free_pages 10\nzswpin 5\npswpin 3\npswpout 70000\npgalloc_dma 0\n";

let node: FakeNode;
beforeEach(() => {
  node = new FakeNode(2);
});
afterEach(() => node[Symbol.dispose]());

describe("the figures of a node", () => {
  const figures = {
    memoryTotalBytes: 1000 * 1024,
    swapTotalBytes: 500 * 1024,
    swapFreeBytes: 400 * 1024,
    swapInBytes: 3 * 4096,
    swapOutBytes: 70_000 * 4096,
  };

  beforeEach(() => {
    node.write("/proc/meminfo", MEMINFO);
    node.write("/proc/vmstat", VMSTAT);
  });

  test("with pressure of node and pods", () => {
    node.write("/proc/pressure/memory", SOME);
    node.write("/sys/fs/cgroup/kubepods.slice/memory.pressure", SOME + FULL);
    expect(readNodeFigures(node.root, `${node.root}/sys/fs/cgroup/kubepods.slice`, 4096)).toEqual({
      ...figures,
      memoryPressure: { some, full: undefined },
      kubepodsMemoryPressure: { some, full },
    });
  });

  test("without PSI and without pods", () => {
    const pressures = { memoryPressure: undefined, kubepodsMemoryPressure: undefined };
    expect(readNodeFigures(node.root, undefined, 4096)).toEqual({ ...figures, ...pressures });
  });

  test("on pages of 64 KiB", () => {
    expect(readNodeFigures(node.root, undefined, 65_536).swapInBytes).toBe(3 * 65_536);
  });

  test("without swap in the kernel", () => {
    node.write("/proc/meminfo", "MemTotal: 1000 kB\n");
    node.write("/proc/vmstat", "nr_free_pages 10\n");
    expect(readNodeFigures(node.root, undefined, 4096)).toMatchObject({
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      swapInBytes: 0,
      swapOutBytes: 0,
    });
  });

  test("name the missing file in the error", async () => {
    await $`rm ${node.root}/proc/vmstat`;
    expect(() => readNodeFigures(node.root, undefined, 4096)).toThrow("/proc/vmstat: No such file");
  });
});
