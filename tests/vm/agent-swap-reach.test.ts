/** A pod that exceeds memory, but not memory and swap together, with swap reach and without. */
import { afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { ClusterNode } from "./cluster-node.ts";
import { GuestAgent } from "./guest-agent.ts";
import { Load, prepareLoads, stallShare } from "./load.ts";
import { startNode } from "./node.ts";
import { untilHolds } from "./node-pods.ts";
import { readCapacity } from "./pods.ts";
import { type Course, courseOf, startRecording, stopRecording } from "./pressure-recording.ts";

const guest = await startNode();
const MIB = 2 ** 20;
const KUBEPODS = "/sys/fs/cgroup/kubepods.slice";
const SWAP_FILE = "/swapfile-reach";
const SWAP_MIB = 512;
// Reserved by the fake kubelet's configuration.
const RESERVED_BYTES = 1024 * MIB;
const PATIENCE_SECONDS = 240;

let podsMib: number;
let node: ClusterNode;
let agent: GuestAgent | undefined;

beforeAll(async () => {
  await guest.must(`swapoff --all; fallocate --length ${SWAP_MIB}M ${SWAP_FILE} && chmod 600 ${SWAP_FILE} &&
    mkswap --quiet ${SWAP_FILE} && swapon ${SWAP_FILE}`);
  const { memoryTotalBytes } = await readCapacity(guest);
  podsMib = Math.floor((memoryTotalBytes - RESERVED_BYTES) / MIB);
  await guest.must(`systemctl start kubepods.slice
    systemctl set-property --runtime kubepods.slice MemoryMax=${podsMib}M`);
});

beforeEach(begin);

async function begin(): Promise<void> {
  await prepareLoads(guest);
  node = await ClusterNode.start(guest);
  // The slice was stopped with the pods of the last test; its limit is kept.
  await guest.must("systemctl start kubepods.slice");
}

afterEach(async () => {
  await agent?.[Symbol.asyncDispose]();
  agent = undefined;
  await node[Symbol.asyncDispose]();
});

/** Memory and swap of the node while the hog grew, and the stalled part of the time of a pod that cannot swap. */
type CourseWithNeighbour = Course & { readonly neighbourStall: number };

/** Lets a pod allocate 200 MiB more than all pods may have, and use a part of that repeatedly. */
async function courseWith(swapReach: "Auto" | "Off"): Promise<CourseWithNeighbour> {
  agent = await GuestAgent.start(guest, [
    ...node.flags,
    "--eviction-mode=Enforce",
    `--swap-reach=${swapReach}`,
  ]);
  if (swapReach === "Auto") await untilHeld(agent);
  // With this request, the swap limit is 0. It allocates nothing more: who allocates at the limit of all pods waits for the
  // reclaim of the hog's memory, with wasp or without.
  const neighbour = await Load.start(guest, node, "runc", {
    name: "neighbour",
    requestBytes: 1,
    steps: ["grow:50:100", "await:hog", "touch:50:1e6:0.5:0"],
  });
  const hog = await Load.start(guest, node, "crun", {
    name: "hog",
    requestBytes: Math.floor(0.9 * (podsMib * MIB + RESERVED_BYTES)),
    steps: ["grow:100:100", "await:grow", `grow:${podsMib + 200}:60`, "touch:50:10:0.5", "await:end"],
  });
  await Promise.all([
    hog.untilAwaits("grow", PATIENCE_SECONDS),
    neighbour.untilAwaits("hog", PATIENCE_SECONDS),
  ]);
  await neighbour.send("hog");
  await startRecording(guest);
  const before = await neighbour.stall();
  await hog.send("grow");
  await hog.untilAwaits("end", PATIENCE_SECONDS);
  const after = await neighbour.stall();
  return { ...courseOf(await stopRecording(guest)), neighbourStall: stallShare(before, after) };
}

const HIGH = "wasp_kubepods_memory_high_bytes";

/** Waits until memory.high is below what the hog needs. */
async function untilHeld(running: GuestAgent): Promise<void> {
  await running.event("swap-reach-held");
  await running.untilMetric(HIGH, (bytes) => bytes < (podsMib - 150) * MIB, PATIENCE_SECONDS);
}

test("without swap reach the kubelet would evict while swap is free, and with it it would not", async () => {
  const without = await courseWith("Off");
  await agent?.[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
  await begin();
  const withIt = await courseWith("Auto");
  console.table({ without, with: withIt });
  expect(without.swapUsedAtEviction).toBeLessThan(0.5);
  expect(withIt.swapUsedAtEviction).toBeUndefined();
  expect(withIt.mostSwapUsed).toBeGreaterThan(0.4);
  // What a pod that cannot swap has is not reclaimed: it does not stall.
  expect(withIt.neighbourStall).toBeLessThan(0.1);
  expect(await agent?.events("eviction-decided")).toEqual([]);
});

test("memory.high is adopted after a crash of the agent, restored, and removed when swap reach is off", async () => {
  const flags = [...node.flags, "--eviction-mode=Enforce"];
  const high = [`${KUBEPODS}/memory.high`];
  agent = await GuestAgent.start(guest, flags);
  // The slice needs a pod, whose start makes systemd write the slice's own settings again.
  await Load.start(guest, node, "runc", { name: "pod", requestBytes: 64 * MIB, steps: ["grow:50:100"] });
  await untilHeld(agent);
  const held = String(await agent.metric(HIGH));
  await untilHolds(guest, high, [held]);
  await agent.kill();
  await untilHolds(guest, high, [held]);
  agent = await GuestAgent.start(guest, flags);
  await agent.event("swap-reach-held");
  expect(await agent.events("swap-reach-left")).toEqual([]);
  await guest.must(`echo max > ${high[0]}`);
  await agent.event("swap-reach-restored");
  await agent.kill();
  agent = await GuestAgent.start(guest, [...node.flags, "--eviction-mode=Off"]);
  await untilHolds(guest, high, ["max"]);
});
