import { describe, expect, test } from "bun:test";
import type { KubepodsContainer } from "../../src/host/kubepods.ts";
import { NO_EVENTS } from "../../src/host/memory-events.ts";
import { sampleContainer, sampleKubepods, sampleNode, samplePod } from "../../src/host/snapshot.ts";
import { FakeNode } from "../node/fake-node.ts";

const CGROUP = {
  "memory.current": "52428800",
  "memory.swap.current": "8192",
  "memory.stat":
    "anon 1000\nfile 2000\nshmem 500\nswapcached 60\nunevictable 200\ninactive_anon 7\ninactive_file 300\nworkingset_refault_anon 41\nworkingset_refault_file 42",
};
const FIGURES = {
  memoryBytes: 52_428_800,
  inactiveFileBytes: 300,
  anonBytes: 1000,
  swapBytes: 8192,
  anonRefaults: 41,
  fileRefaults: 42,
};

const PRESSURE =
  "some avg10=1.00 avg60=2.00 avg300=3.00 total=4\nfull avg10=5.00 avg60=6.00 avg300=7.00 total=8";
const EVENTS = "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5";
/** Files of a pod or container that has met its own limits, and what they say. */
const LIMITED = {
  "memory.pressure": PRESSURE,
  "memory.events": EVENTS,
  "memory.events.local": "low 0\nhigh 1\nmax 0\noom 0\noom_kill 0",
};
const OWN_FIGURES = {
  ...FIGURES,
  ...{ fileBytes: 2000, shmemBytes: 500, swapCachedBytes: 60 },
  memoryPressure: {
    some: { avg10Percent: 1, avg60Percent: 2, avg300Percent: 3, totalMicroseconds: 4 },
    full: { avg10Percent: 5, avg60Percent: 6, avg300Percent: 7, totalMicroseconds: 8 },
  },
  events: { high: 2, max: 3, oom: 4, local: { high: 1, max: 0, oom: 0 } },
};
const LIMITS = { "memory.max": "8192", "memory.high": "max" };

function nodeWith(path: string, files: Record<string, string>): FakeNode {
  const node = new FakeNode(2);
  for (const [name, text] of Object.entries(files)) node.write(`/sys/fs/cgroup${path}/${name}`, `${text}\n`);
  return node;
}

function container(node: FakeNode, path: string): KubepodsContainer {
  const own = [`${node.root}/sys/fs/cgroup${path}/container`, `${node.root}/sys/fs/cgroup${path}`];
  return {
    podUid: "uid",
    qosClass: "Burstable",
    containerId: "id",
    cgroup: { version: 2, own, ancestors: [] },
  };
}

describe("a sample", () => {
  test("of a node has memory, swap and their counters", () => {
    using node = new FakeNode(2);
    const meminfo = [
      "MemTotal: 4000 kB\nMemFree: 500 kB\nMemAvailable: 3000 kB\n",
      "Inactive(anon): 9 kB\nInactive(file): 250 kB\nSwapTotal: 2000 kB\nSwapFree: 1000 kB\n",
    ].join("");
    node.write("/proc/meminfo", meminfo);
    node.write(
      "/proc/vmstat",
      "nr_free_pages 1\npswpin 7\npswpout 8\npgscan_kswapd 10\npgscan_direct 9\npgscan_direct_throttle 11\n",
    );
    expect(sampleNode(node.root)).toEqual({
      memoryTotalBytes: 4_096_000,
      memoryAvailableBytes: 3_072_000,
      memoryFreeBytes: 512_000,
      inactiveFileBytes: 256_000,
      swapTotalBytes: 2_048_000,
      swapFreeBytes: 1_024_000,
      swapInPages: 7,
      swapOutPages: 8,
      directScans: 9,
      kswapdScans: 10,
      memoryPressure: undefined,
    });
  });

  test("of a container is that of its scope, which includes its other levels", () => {
    using node = nodeWith("/scope", { ...CGROUP, ...LIMITED, "memory.swap.max": "max" });
    expect(sampleContainer(container(node, "/scope"))).toEqual({
      id: "id",
      podUid: "uid",
      ...OWN_FIGURES,
      swappableBytes: 1300,
      swapLimitBytes: Number.POSITIVE_INFINITY,
    });
  });

  // As under crun: tests/fixtures/recordings/limitedswap.txt, ls-burstable-crun and ls-guaranteed-crun.
  test.each([
    ["536870912", "17518592", 17_518_592],
    ["134217728", "0", 0],
    ["17518592", "17518592", 17_518_592],
    ["max", "max", Number.POSITIVE_INFINITY],
  ])("of a container has the lower limit of its levels, %s and %s", (scope, child, bytes) => {
    using node = nodeWith("/scope", { ...CGROUP, "memory.swap.max": scope });
    node.write("/sys/fs/cgroup/scope/container/memory.swap.max", `${child}\n`);
    expect(sampleContainer(container(node, "/scope"))?.swapLimitBytes).toBe(bytes);
  });

  // memory.stat of a cgroup whose process wrote 40 MiB to a tmpfs, on Linux 6.18.
  test.each([
    ["with noswap", "anon 0\nshmem 41943040\ninactive_anon 0\nunevictable 41943040", 0],
    ["without noswap", "anon 0\nshmem 41943040\ninactive_anon 41943040\nunevictable 0", 41_943_040],
  ])("of a container counts a tmpfs %s as the kernel does", (_, stat, bytes) => {
    using node = nodeWith("/scope", { ...CGROUP, "memory.stat": stat, "memory.swap.max": "max" });
    expect(sampleContainer(container(node, "/scope"))?.swappableBytes).toBe(bytes);
  });

  test("of a container lacks what its kernel lacks", () => {
    using node = nodeWith("/scope", { ...CGROUP, "memory.swap.max": "max" });
    const sample = sampleContainer(container(node, "/scope"));
    expect(sample).toMatchObject(FIGURES);
    expect(sample).toMatchObject({ memoryPressure: undefined, events: undefined });
  });

  test("of a pod is that of its own cgroup, with its limits", () => {
    using node = nodeWith("/pod", { ...CGROUP, ...LIMITED, ...LIMITS });
    const pod = { podUid: "uid", directory: `${node.root}/sys/fs/cgroup/pod` };
    expect(samplePod(pod)).toEqual({
      podUid: "uid",
      ...OWN_FIGURES,
      swappableBytes: 1300,
      memoryMaxBytes: 8192,
      memoryHighBytes: Number.POSITIVE_INFINITY,
    });
  });

  test.each(["memory.stat", "memory.current", "memory.swap.current", "memory.max", "memory.high"])(
    "of a pod that vanishes before its %s is read is undefined",
    (missing) => {
      const files = Object.entries({ ...CGROUP, ...LIMITED, ...LIMITS }).filter(([name]) => name !== missing);
      using node = nodeWith("/pod", Object.fromEntries(files));
      expect(samplePod({ podUid: "uid", directory: `${node.root}/sys/fs/cgroup/pod` })).toBeUndefined();
    },
  );

  test("of a pod that has met no limit does without its limits", () => {
    using node = nodeWith("/pod", { ...CGROUP, "memory.events": "low 1\nhigh 0\nmax 0\noom 0" });
    const sample = samplePod({ podUid: "uid", directory: `${node.root}/sys/fs/cgroup/pod` });
    expect(sample).toMatchObject({ ...FIGURES, events: NO_EVENTS });
    expect(sample).toMatchObject({ memoryMaxBytes: undefined, memoryHighBytes: undefined });
  });

  test("of a container has no events where its pod has none", () => {
    using node = nodeWith("/scope", { ...CGROUP, ...LIMITED, "memory.swap.max": "0" });
    expect(sampleContainer(container(node, "/scope"), NO_EVENTS)?.events).toEqual(NO_EVENTS);
    const { events } = OWN_FIGURES;
    for (const ofPod of [undefined, { ...NO_EVENTS, high: 1 }])
      expect(sampleContainer(container(node, "/scope"), ofPod)?.events).toEqual(events);
  });

  test("of a pod with an unreadable limit is an error that names the file", () => {
    using node = nodeWith("/pod", { ...CGROUP, ...LIMITED, ...LIMITS, "memory.max": "all" });
    const pod = { podUid: "uid", directory: `${node.root}/sys/fs/cgroup/pod` };
    expect(() => samplePod(pod)).toThrow(`${pod.directory}/memory.max holds neither bytes nor max`);
  });

  test("of a removed container is undefined", () => {
    using node = new FakeNode(2);
    expect(sampleContainer(container(node, "/scope"))).toBeUndefined();
  });

  test("of all pods also has their limits and pressure", () => {
    const limits = { "memory.max": "max", "memory.high": "4096" };
    using node = nodeWith("/kubepods.slice", { ...CGROUP, ...limits, "memory.pressure": PRESSURE });
    const kubepods = { version: 2, mount: `${node.root}/sys/fs/cgroup`, path: "/kubepods.slice" } as const;
    expect(sampleKubepods(kubepods)).toMatchObject({
      ...FIGURES,
      memoryMaxBytes: Number.POSITIVE_INFINITY,
      memoryHighBytes: 4096,
      memoryPressure: { some: { avg10Percent: 1 }, full: { totalMicroseconds: 8 } },
    });
  });
});
