/** Eviction on a real node: a pod grows beyond memory and swap, and its neighbour does not. */
import { beforeAll, expect, test } from "bun:test";
import { ClusterNode, NODE } from "./cluster-node.ts";
import { GuestAgent } from "./guest-agent.ts";
import { Load, prepareLoads, type Stall, stallShare } from "./load.ts";
import { startNode } from "./node.ts";
import { untilHolds } from "./node-pods.ts";
import { readCapacity } from "./pods.ts";

const guest = await startNode();
const MIB = 2 ** 20;
const KUBEPODS = "/sys/fs/cgroup/kubepods.slice";
// Reserved by the fake kubelet's configuration.
const RESERVED_BYTES = 1024 * MIB;
const SWAP_FILE = "/swapfile-eviction";
const SWAP_MIB = 384;
const PRESSURE = 'wasp_signal_ratio{signal="memoryPressure"}';
const PATIENCE_SECONDS = 240;
// Memory that the hog leaves free below the pods' limit, before what it uses goes to swap: the kubelet's threshold and swap
// reach's margin, by which memory.high is lower, its neighbour's memory, and some more.
const LEFT_MIB = 320;

let node: ClusterNode;
let agent: GuestAgent;
let hog: Load;
let neighbour: Load;
let quietShare: number;

beforeAll(async () => {
  await guest.must(`swapoff --all; fallocate --length ${SWAP_MIB}M ${SWAP_FILE} && chmod 600 ${SWAP_FILE} &&
    mkswap --quiet ${SWAP_FILE} && swapon ${SWAP_FILE}`);
  const { memoryTotalBytes } = await readCapacity(guest);
  await guest.must(`systemctl start kubepods.slice
    systemctl set-property --runtime kubepods.slice MemoryMax=${memoryTotalBytes - RESERVED_BYTES}`);
  await prepareLoads(guest);
  node = await ClusterNode.start(guest);
  // With LimitedSwap, the pod could only use up its share.
  agent = await GuestAgent.start(guest, [
    ...node.flags,
    "--eviction-mode=Enforce",
    "--swap-behavior=UnlimitedSwap",
  ]);
  neighbour = await Load.start(guest, node, "runc", {
    name: "neighbour",
    requestBytes: 100 * MIB,
    steps: ["grow:50:100", "await:hog", "touch:50:1e6:0.5:20"],
  });
  const fittingMib = Math.floor((memoryTotalBytes - RESERVED_BYTES) / MIB) - LEFT_MIB;
  hog = await Load.start(guest, node, "crun", {
    name: "hog",
    requestBytes: 64 * MIB,
    steps: [
      `grow:${fittingMib}:100`,
      "await:half",
      `grow:${fittingMib + 0.5 * SWAP_MIB}:100`,
      "await:all",
      `grow:${fittingMib + 0.92 * SWAP_MIB}:100`,
      "await:harm",
      "harm",
      "leak:0.5",
    ],
  });
  const files = [hog, neighbour].flatMap(({ container }) =>
    container.own.map((level) => `${level}/memory.swap.max`),
  );
  await untilHolds(
    guest,
    files,
    files.map(() => "max"),
  );
});

test("a pod that fits in memory causes no swap pressure", async () => {
  await Promise.all([
    hog.untilAwaits("half", PATIENCE_SECONDS),
    neighbour.untilAwaits("hog", PATIENCE_SECONDS),
  ]);
  await neighbour.send("hog");
  const before = await neighbour.stall();
  await guest.must("sleep 5");
  quietShare = stallShare(before, await neighbour.stall());
  await node.untilSwapPressure("False", PATIENCE_SECONDS);
});

test.each([
  { name: "unused memory goes to swap", part: 0.5, word: "half", next: "all" },
  { name: "unused memory fills all of the swap", part: 0.92, word: "all", next: "harm" },
])("$name, and no pod is evicted for it", async ({ part, word, next }) => {
  // Before its growth needs the room: how much that would stall the pods depends on the machine.
  await hog.swapOut(part * SWAP_MIB, PATIENCE_SECONDS);
  await hog.send(word);
  await hog.untilAwaits(next, PATIENCE_SECONDS);
  // Without stalls, there is nothing left to decide.
  await agent.untilMetric(PRESSURE, (part) => part < 0.01, PATIENCE_SECONDS);
  const usedBytes = Number(await guest.must(`cat ${KUBEPODS}/memory.swap.peak`));
  expect(usedBytes).toBeGreaterThan((part - 0.05) * SWAP_MIB * MIB);
  expect(await agent.events("eviction-decided")).toEqual([]);
  await node.untilSwapPressure("False", PATIENCE_SECONDS);
  expect(node.taints).toEqual([]);
});

let harmedShare: number;
let stallAfterEviction: Stall;

test("a hog that uses all of it and allocates more is evicted", async () => {
  const began = { stall: await neighbour.stall(), processorSeconds: await agent.processorSeconds() };
  await hog.send("harm");
  const decision = await agent.event("eviction-decided", undefined, PATIENCE_SECONDS);
  const stalled = await neighbour.stall();
  harmedShare = stallShare(began.stall, stalled);
  const processorSeconds = (await agent.processorSeconds()) - began.processorSeconds;
  const residentBytes = await agent.residentBytes();
  expect(decision).toMatchObject({ pod: "hog", method: "evict", ranking: "test/hog" });
  expect(decision["swapUtilization"]).toBeGreaterThan(0.75);
  for (const name of String(decision["thresholds"]).split(", "))
    expect(await agent.metric(`wasp_threshold_crossed{threshold="${name}"}`)).toBe(1);
  await agent.event("pod-evicted");
  await node.untilSwapPressure("True", PATIENCE_SECONDS);
  expect(node.taints).toEqual(["wasp.io/swap-pressure"]);

  await node.untilTerminated();
  stallAfterEviction = await neighbour.stall();
  expect(node.gone).toEqual(["hog"]);
  const harmMilliseconds = await hog.harmMilliseconds();
  const share = processorSeconds / (stalled.atSeconds - began.stall.atSeconds);
  const decided = seconds(Date.parse(String(decision["time"])) - harmMilliseconds);
  console.log(
    `eviction decided ${decided} after the harm began, and completed after ${seconds(Date.now() - harmMilliseconds)}`,
  );
  console.log(`the agent takes ${percent(share)} of a core, and ${Math.round(residentBytes / MIB)} MiB`);
});

test("its neighbour is not evicted, and its stalls end", async () => {
  await node.untilSwapPressure("False", PATIENCE_SECONDS);
  const after = stallShare(stallAfterEviction, await neighbour.stall());
  console.log(
    `the neighbour stalls ${percent(quietShare)} before, ${percent(harmedShare)} with the hog, ${percent(after)} after`,
  );
  expect(harmedShare).toBeGreaterThan(4 * quietShare);
  expect(harmedShare).toBeGreaterThan(4 * after);
  expect(await neighbour.isRunning()).toBe(true);
  expect(await guest.must(`cat ${KUBEPODS}/memory.events`)).toContain("\noom_kill 0\n");
});

test("the node accepts new pods again, and Events and metrics report the eviction", async () => {
  expect(node.taints).toEqual([]);
  const taintEvents = (await agent.log())
    .map(({ event }) => event)
    .filter((event) => /^node-(un)?tainted$/.test(event));
  expect(taintEvents.slice(-2)).toEqual(["node-tainted", "node-untainted"]);
  expect(node.evictions.map(({ line }) => line)).toEqual(["POST /api/v1/namespaces/test/pods/hog/eviction"]);
  const { pod } = hog.container;
  expect([...node.server.objects.events.values()]).toEqual(
    [
      { kind: "Pod", name: "hog", uid: pod.uid },
      { kind: "Node", name: NODE },
    ].map((involvedObject) =>
      expect.objectContaining({
        involvedObject: expect.objectContaining(involvedObject),
        reason: "SwapEviction",
        message: expect.stringMatching(
          /^test\/hog is evicted: it is over its requests by .* swap \d+ % full/,
        ),
      }),
    ),
  );
  expect(await agent.metric('wasp_evictions_total{answer="accepted"}')).toBe(1);
  expect(await agent.metrics()).not.toMatch(/^wasp_threshold_crossed{.*} 1$/m);
});

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
