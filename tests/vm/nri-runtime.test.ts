/** What a real runtime does with containers' limits, alone and with a plugin in this process on the wire of NRI. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { complaint } from "./complaint.ts";
import { Containerd } from "./containerd.ts";
import { CriPod } from "./cri-pods.ts";
import { sharedGuest } from "./node.ts";
import { ProbePlugin, probe } from "./probe-plugin.ts";

setDefaultTimeout(90_000);

const guest = await sharedGuest();
const MiB = 1024 ** 2;
const [limit, largerLimit] = [64 * MiB, 96 * MiB];
const untouched = { "memory.high": "max", "memory.swap.max": "0" };
const half = { "memory.high": `${32 * MiB}`, "memory.swap.max": "max" };
const files = ["memory.high", "memory.swap.max"] as const;

let containerd: Containerd;
let pod: CriPod;

beforeAll(async () => {
  containerd = await Containerd.start(guest);
  pod = await CriPod.run(guest, containerd, "web-0", { "example.org/kind": "web" });
});

afterAll(async () => {
  await containerd?.[Symbol.asyncDispose]();
});

test("without a plugin, a container has no swap and no memory.high", async () => {
  const container = await pod.start({ name: "denied", memoryLimitBytes: limit });
  expect(await container.files(...files)).toEqual(untouched);
});

test("a container keeps through a resize what its spec says, whatever was written behind the runtime's back", async () => {
  const container = await pod.start({ name: "told", memoryLimitBytes: limit, unified: half });
  expect(await container.files("memory.max", ...files)).toEqual({ "memory.max": `${limit}`, ...half });
  await guest.must(`cd ${container.cgroup}; echo 50M > memory.high; echo 8M > memory.swap.max`);
  await container.resize(largerLimit);
  expect(await container.files("memory.max", ...files)).toEqual({ "memory.max": `${largerLimit}`, ...half });
});

test("a plugin is told of the runtime and of a container that runs, and changes it", async () => {
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
  expect(plugin.heard).toContainEqual(["synchronize", "before", "running", limit]);
  // The runtime does so when it has the answer.
  await container.untilFiles(half);
});

test("a container is as its plugin says from its start, and after a resize", async () => {
  await using plugin = await ProbePlugin.start(guest, containerd, {
    create: (_, { annotations }) => (annotations["example.org/kind"] === "web" ? half : {}),
    update: (_, memoryLimitBytes = 0) => ({ "memory.high": `${memoryLimitBytes / 2}` }),
  });
  plugin.heard.length = 0;
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
  // No limit: a request for something else.
  await container.resize(0);
  expect(await container.files("memory.max", ...files)).toEqual(resized);
  expect(plugin.heard).toEqual([
    ["create", "adjusted", "unknown", limit],
    ["update", "adjusted", "running", largerLimit],
    ["update", "adjusted", "running", undefined],
  ]);
});

test("a change of its own lasts through a resize, and one that is refused is known", async () => {
  const container = await pod.start({ name: "changed", memoryLimitBytes: limit });
  await using plugin = await ProbePlugin.start(guest, containerd);
  const change = { containerId: container.id, unified: half };
  await plugin.updateContainers(change, { containerId: "gone", unified: half });
  expect(await container.files(...files)).toEqual(half);
  await container.resize(largerLimit);
  expect(await container.files(...files)).toEqual(half);
  await expect(plugin.updateContainers({ ...change, unified: { "memory.high": "much" } })).rejects.toThrow(
    "NRI update of some containers failed",
  );
});

test("what a plugin refuses is refused by the runtime, in the plugin's words", async () => {
  const complain = ({ name }: { name: string }) => {
    throw new Error(`container "${name}": class "gold" is not one of bronze, silver`);
  };
  await using plugin = await ProbePlugin.start(guest, containerd, { create: complain, update: complain });
  expect(await complaint(pod.create({ name: "refused", memoryLimitBytes: limit }))).toMatch(
    /failed to get NRI adjustment.*container "refused": class "gold" is not one of bronze, silver$/,
  );
  // The runtime takes away what it had made ready.
  const about = plugin.heard.filter(([, name]) => name === "refused").map(([request]) => request);
  expect(about).toEqual(["create", "stop", "remove"]);

  plugin.answers = {};
  const container = await pod.start({ name: "kept", memoryLimitBytes: limit });
  plugin.answers = { update: complain };
  expect(await complaint(container.resize(largerLimit))).toMatch(
    /NRI container update failed.*container "kept": class "gold" is not one of bronze, silver$/,
  );
  expect(await container.files("memory.max", ...files)).toEqual({ "memory.max": `${limit}`, ...untouched });
});

test("a plugin that hangs costs its container nothing but time, and is back", async () => {
  const hang = () => {
    // Longer than the runtime waits.
    Bun.sleepSync(3000);
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
  expect(plugin.heard).toContainEqual(["synchronize", "waited-for", expect.any(String), limit]);
});

test("a plugin is back when the runtime is", async () => {
  await using _plugin = await ProbePlugin.start(guest, containerd, { create: () => half });
  await containerd.connecting(probe, () => containerd.restart());
  const container = await pod.start({ name: "after", memoryLimitBytes: limit });
  expect(await container.files(...files)).toEqual(half);
});
