/** A real runtime's treatment of containers' limits, alone and with an NRI plugin in this process. */
import { beforeAll, expect, test } from "bun:test";
import { Containerd } from "./containerd.ts";
import { CriPod } from "./cri-pods.ts";
import { scaledSeconds } from "./deadline.ts";
import { startNode } from "./node.ts";
import { ProbePlugin, probe } from "./probe-plugin.ts";
import { rejection } from "./rejection.ts";

const guest = await startNode();
const MiB = 1024 ** 2;
const [limit, largerLimit] = [64 * MiB, 96 * MiB];
const untouched = { "memory.high": "max", "memory.swap.max": "0" };
const half = { "memory.high": `${32 * MiB}`, "memory.swap.max": "max" };
const files = ["memory.high", "memory.swap.max"] as const;
/** The runtime's time-out for a request to a plugin, and the plugin's for one to the runtime. */
const REQUEST_SECONDS = scaledSeconds(3);

let containerd: Containerd;
let pod: CriPod;

beforeAll(async () => {
  containerd = await Containerd.start(guest, {
    registrationSeconds: scaledSeconds(10),
    requestSeconds: REQUEST_SECONDS,
  });
  pod = await CriPod.run(guest, containerd, "web-0", { "example.org/kind": "web" });
});

test("without a plugin, a container has no swap and no memory.high", async () => {
  const container = await pod.start({ name: "denied", memoryLimitBytes: limit });
  expect(await container.files(...files)).toEqual(untouched);
});

test("a resize restores the values of a container's spec after writes to its cgroup", async () => {
  const container = await pod.start({ name: "specified", memoryLimitBytes: limit, unified: half });
  expect(await container.files("memory.max", ...files)).toEqual({ "memory.max": `${limit}`, ...half });
  await guest.must(`cd ${container.cgroup}; echo 50M > memory.high; echo 8M > memory.swap.max`);
  await container.resize(largerLimit);
  expect(await container.files("memory.max", ...files)).toEqual({ "memory.max": `${largerLimit}`, ...half });
});

test("a plugin is notified of the runtime and of a running container, and changes it", async () => {
  const container = await pod.start({ name: "before", memoryLimitBytes: limit });
  await using plugin = await ProbePlugin.start(guest, containerd, {
    synchronize: (containers) =>
      containers
        .filter(({ name }) => name === "before")
        .map(({ id }) => ({ containerId: id, unified: half })),
  });
  expect(plugin.events).toContainEqual(
    expect.objectContaining({ kind: "registered", runtime: expect.objectContaining({ name: "containerd" }) }),
  );
  expect(plugin.requests).toContainEqual(["synchronize", "before", "running", limit]);
  // The runtime applies the answer when it has received it.
  await container.untilFiles(half);
});

test("a plugin sets a container's values at its start, and at a resize", async () => {
  await using plugin = await ProbePlugin.start(guest, containerd, {
    create: (_, { annotations }) => (annotations["example.org/kind"] === "web" ? half : {}),
    update: (_, memoryLimitBytes = 0) => ({ "memory.high": `${memoryLimitBytes / 2}` }),
  });
  plugin.requests.length = 0;
  const container = await pod.start({ name: "adjusted", memoryLimitBytes: limit });
  expect(await container.files(...files)).toEqual(half);
  await container.resize(largerLimit);
  const resized = {
    "memory.max": `${largerLimit}`,
    "memory.high": `${largerLimit / 2}`,
    "memory.swap.max": "max",
  };
  expect(await container.files("memory.max", ...files)).toEqual(resized);
  plugin.answers = {};
  // A request without a limit, which changes something else.
  await container.resize(0);
  expect(await container.files("memory.max", ...files)).toEqual(resized);
  expect(plugin.requests).toEqual([
    ["create", "adjusted", "unknown", limit],
    ["update", "adjusted", "running", largerLimit],
    ["update", "adjusted", "running", undefined],
  ]);
});

test("a change by the plugin survives a resize, and a refused change is reported", async () => {
  const container = await pod.start({ name: "changed", memoryLimitBytes: limit });
  await using plugin = await ProbePlugin.start(guest, containerd);
  const change = { containerId: container.id, unified: half };
  await plugin.updateContainers(change, { containerId: "gone", unified: half });
  expect(await container.files(...files)).toEqual(half);
  await container.resize(largerLimit);
  expect(await container.files(...files)).toEqual(half);
  const refused = plugin.updateContainers({ ...change, unified: { "memory.high": "much" } });
  expect(await rejection(refused)).toContain("NRI update of some containers failed");
});

test("the runtime refuses what a plugin refuses, with the plugin's message", async () => {
  const refuse = ({ name }: { name: string }) => {
    throw new Error(`container "${name}": class "gold" is not one of bronze, silver`);
  };
  await using plugin = await ProbePlugin.start(guest, containerd, { create: refuse, update: refuse });
  expect(await rejection(pod.create({ name: "refused", memoryLimitBytes: limit }))).toMatch(
    /failed to get NRI adjustment.*container "refused": class "gold" is not one of bronze, silver$/,
  );
  // The runtime removes what it had prepared.
  const about = plugin.requests.filter(([, name]) => name === "refused").map(([request]) => request);
  expect(about).toEqual(["create", "stop", "remove"]);

  plugin.answers = {};
  const container = await pod.start({ name: "kept", memoryLimitBytes: limit });
  plugin.answers = { update: refuse };
  expect(await rejection(container.resize(largerLimit))).toMatch(
    /NRI container update failed.*container "kept": class "gold" is not one of bronze, silver$/,
  );
  expect(await container.files("memory.max", ...files)).toEqual({ "memory.max": `${limit}`, ...untouched });
});

test("a plugin that hangs only delays its container, and reconnects", async () => {
  const hang = () => {
    Bun.sleepSync((REQUEST_SECONDS + 1) * 1000);
    return half;
  };
  await using plugin = await ProbePlugin.start(guest, containerd, { create: hang });
  const container = await containerd.connecting(probe, () =>
    pod.start({ name: "waited-for", memoryLimitBytes: limit }),
  );
  expect(await container.files(...files)).toEqual(untouched);
  expect(await containerd.log()).toContain(
    "failed to handle CreateContainer request: context deadline exceeded",
  );
  expect(plugin.requests).toContainEqual(["synchronize", "waited-for", expect.any(String), limit]);
});

test("a plugin reconnects after a restart of the runtime", async () => {
  await using _plugin = await ProbePlugin.start(guest, containerd, { create: () => half });
  await containerd.connecting(probe, () => containerd.restart());
  const container = await pod.start({ name: "after", memoryLimitBytes: limit });
  expect(await container.files(...files)).toEqual(half);
});
