import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import type { KubepodsContainer } from "../../src/host/kubepods.ts";
import { PodsSampler } from "../../src/host/pods-sampler.ts";
import { sampleContainerUsage, samplePod } from "../../src/host/snapshot.ts";
import { FakeNode } from "../node/fake-node.ts";

const POD = "/sys/fs/cgroup/kubepods/pod-uid";
const NAMES = ["app", "sidecar"];
const STALL = "avg10=0.00 avg60=0.00 avg300=0.00 total=";
const EVENTS = "low 0\nhigh 0\nmax 2\noom 0\n";
const FILES = {
  "memory.stat": "anon 1000\nfile 10\n",
  "memory.current": "4000\n",
  "memory.swap.current": "0\n",
  "memory.swap.max": "8192\n",
  "memory.max": "max\n",
  "memory.high": "max\n",
  "memory.pressure": `some ${STALL}5\nfull ${STALL}4\n`,
  "memory.events": EVENTS,
  "memory.events.local": EVENTS,
};

let node: FakeNode;
let sampler: PodsSampler;
let containers: KubepodsContainer[];
beforeEach(() => {
  node = new FakeNode(2);
  sampler = new PodsSampler();
  for (const path of [POD, ...NAMES.map(pathOf)])
    for (const [name, text] of Object.entries(FILES)) node.write(`${path}/${name}`, text);
  containers = NAMES.map((name) => containerAt(name));
});
afterEach(() => node[Symbol.dispose]());

function pathOf(name: string): string {
  return `${POD}/${name}`;
}

function containerAt(name: string): KubepodsContainer {
  const cgroup = { version: 2, own: [node.root + pathOf(name)], ancestors: [node.root + POD] } as const;
  return { podUid: "uid", qosClass: "Burstable", containerId: name, cgroup };
}

/** Samples as they are without any memory of earlier ones. */
function fresh() {
  return {
    podSamples: [samplePod({ podUid: "uid", directory: node.root + POD })].filter((one) => one !== undefined),
    containers: containers.flatMap((container) => sampleContainerUsage(container) ?? []),
  };
}

describe("pods and containers", () => {
  test.each([
    ["memory.stat", "anon 3000\nfile 10\n"],
    ["memory.current", "5000\n"],
    ["memory.swap.current", "4096\n"],
    ["memory.pressure", `some ${STALL}6\nfull ${STALL}4\n`],
    ["memory.events", "low 0\nhigh 0\nmax 3\noom 0\n"],
  ])("are read again once %s of the pod has changed", (file, text) => {
    sampler.sample(containers);
    node.write(`${POD}/${file}`, text);
    node.write(`${pathOf("app")}/memory.stat`, "anon 2000\n");
    node.write(`${pathOf("app")}/memory.swap.current`, "12288\n");
    expect(sampler.sample(containers)).toEqual(fresh());
  });

  test("of a pod that has not moved are the samples of before", () => {
    const before = sampler.sample(containers);
    // The kernel cannot show this: each file of the pod includes those of its containers.
    node.write(`${pathOf("app")}/memory.current`, "5000\n");
    const now = sampler.sample(containers);
    expect(now).toEqual(before);
    expect(now).not.toEqual(fresh());
  });

  test("of a pod that has not moved have their current swap limits", () => {
    sampler.sample(containers);
    node.write(`${pathOf("sidecar")}/memory.swap.max`, "max\n");
    const limits = () => sampler.sample(containers).containers.map(({ swapLimitBytes }) => swapLimitBytes);
    expect(limits()).toEqual([8192, Number.POSITIVE_INFINITY]);
    expect(limits()).toEqual([8192, Number.POSITIVE_INFINITY]);
  });

  test("that have vanished are left out, also of a pod that has not moved", () => {
    sampler.sample(containers);
    rmSync(node.root + pathOf("app"), { recursive: true });
    expect(sampler.sample(containers).containers.map(({ id }) => id)).toEqual(["sidecar"]);
    rmSync(node.root + POD, { recursive: true });
    expect(sampler.sample(containers)).toEqual({ podSamples: [], containers: [] });
  });

  test("are there without the pod's own cgroup, always read again", () => {
    rmSync(`${node.root}${POD}/memory.stat`);
    sampler.sample(containers);
    node.write(`${pathOf("app")}/memory.current`, "5000\n");
    expect(sampler.sample(containers)).toEqual({ ...fresh(), podSamples: [] });
  });

  test.each([
    ["a new container", () => containers.push(containerAt("new"))],
    ["a container with other cgroup levels", () => containers.splice(0, 1, containerAt("app"))],
  ])("of a pod that has not moved are read for %s", (_, change) => {
    sampler.sample(containers);
    for (const [name, text] of Object.entries({ ...FILES, "memory.current": "7000\n" }))
      for (const container of ["new", "app"]) node.write(`${pathOf(container)}/${name}`, text);
    change();
    const last = containers.find(({ containerId }) => containerId !== "sidecar" && containerId !== "app");
    const { containers: now } = sampler.sample(containers);
    expect(now.find(({ id }) => id === (last?.containerId ?? "app"))?.memoryBytes).toBe(7000);
  });

  test("are read again after an unreadable file", () => {
    sampler.sample(containers);
    node.write(`${POD}/memory.current`, "5000\n");
    node.write(`${pathOf("app")}/memory.current`, "5000\n");
    node.write(`${pathOf("sidecar")}/memory.swap.max`, "all\n");
    expect(() => sampler.sample(containers)).toThrow("memory.swap.max holds neither bytes nor max");
    node.write(`${pathOf("sidecar")}/memory.swap.max`, "0\n");
    expect(sampler.sample(containers)).toEqual(fresh());
  });

  test("after a time without samples are read again", () => {
    sampler.sample(containers);
    sampler.sample([]);
    node.write(`${pathOf("app")}/memory.current`, "5000\n");
    expect(sampler.sample(containers)).toEqual(fresh());
  });

  test("have no pressure and events of containers", () => {
    const { containers: samples, podSamples } = sampler.sample(containers);
    expect(podSamples).toMatchObject([{ events: { max: 2 }, memoryPressure: { some: {} } }]);
    for (const sample of samples)
      expect(sample).toMatchObject({ memoryPressure: undefined, events: undefined });
  });
});
