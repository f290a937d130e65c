/** What the agent makes of containers' limits on a real node, and of those who write them too. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { kubeletOomScoreAdj } from "../node/kubelet.ts";
import { runtimes } from "./container.ts";
import { quote } from "./guest.ts";
import { GuestAgent } from "./guest-agent.ts";
import { sharedGuest } from "./node.ts";
import { NodePods, noHooks, onlyEvents, type PodContainer, untilLimitIs } from "./node-pods.ts";
import { readCapacity, swapShares } from "./pods.ts";

setDefaultTimeout(90_000);

const guest = await sharedGuest();
const { memoryTotalBytes } = await readCapacity(guest);
const shareOfSwap = await swapShares(guest);

// Some 20 MB of the node's swap, not a whole number of pages.
const requestBytes = 40_000_001;
const spec = { requestBytes, memory: "64m" };
const lowerBoundBytes = shareOfSwap(kubeletOomScoreAdj(requestBytes, memoryTotalBytes));
const withoutHook = { hooksFolder: noHooks };
const killed = 128 + 9;

let pods: NodePods;
let agent: GuestAgent;

beforeAll(async () => {
  // As the kubelet makes them, of either driver, before it starts a container.
  await guest.must("systemctl start kubepods.slice; mkdir --parents /sys/fs/cgroup/kubepods");
  pods = await NodePods.start(guest);
  agent = await GuestAgent.start(guest, [...pods.flags, ...onlyEvents, "--max-restores-per-minute=1000"]);
});

afterAll(async () => {
  await agent?.[Symbol.asyncDispose]();
  await pods?.[Symbol.asyncDispose]();
});

describe.each(runtimes)("under %s, a container's limit", (runtime) => {
  test.each([
    { driver: "systemd", hooks: {}, before: "the hook's lower bound", beforeBytes: lowerBoundBytes },
    { driver: "systemd", hooks: withoutHook, before: "no swap", beforeBytes: 0 },
    { driver: "cgroupfs", hooks: {}, before: "the hook's lower bound", beforeBytes: lowerBoundBytes },
    { driver: "cgroupfs", hooks: withoutHook, before: "no swap", beforeBytes: 0 },
  ] as const)("is exact under $driver after $before", async ({ driver, hooks, beforeBytes }) => {
    const starts = `wasp_container_starts_total{hook="${beforeBytes === 0 ? "missing" : "seen"}"}`;
    const startsBefore = await agent.metric(starts);
    const container = await pods.run(runtime, { ...spec, cgroupManager: driver, ...hooks });
    try {
      expect(await limitInForce(container)).toBe(beforeBytes);
      pods.tell(container);
      const exactBytes = await pods.untilExact(container);
      expect(exactBytes).not.toBe(beforeBytes);
      const event = await agent.event("swap-limit-set", ({ id }) => id === container.id);
      expect(event).toMatchObject({
        ...{ namespace: "default", pod: container.pod.name, container: "app", reason: "limited-swap" },
        ...{ beforeBytes, effectiveBytes: exactBytes },
      });
      expect(await agent.metric(starts)).toBe(startsBefore + 1);
    } finally {
      await pods.remove(container);
    }
  });
});

describe.each(runtimes)("under %s, a limit is put back", (runtime) => {
  let container: PodContainer;
  let scope: string;

  beforeAll(async () => {
    container = await pods.runAndTell(runtime, { ...spec, ...withoutHook });
    scope = `libpod-${container.id}.scope`;
    await pods.untilExact(container);
  });

  afterAll(() => pods.remove(container));

  async function isPutBackAfter(script: string): Promise<void> {
    const drifts = await agent.metric("wasp_swap_limit_drifts_total");
    await guest.must(script);
    await agent.untilMetric("wasp_swap_limit_drifts_total", (count) => count > drifts);
    await pods.untilExact(container);
  }

  test("that a mere write changed", async () => {
    const files = container.own.map((directory) => `${directory}/memory.swap.max`);
    for (const file of files) await isPutBackAfter(`echo 1M > ${file}`);
    await isPutBackAfter(files.map((file) => `echo max > ${file}`).join("; "));
  });

  test("that its runtime's update changed", async () => {
    await isPutBackAfter(`${runtime} update --memory 83886080 --memory-swap 94371840 ${container.id}`);
  });

  test("that podman's update changed", async () => {
    await isPutBackAfter(`podman update --memory 70m --memory-swap 100m ${container.id}`);
  });

  test("that systemd was told to change, which it does again with every other property", async () => {
    await isPutBackAfter(`systemctl set-property --runtime ${scope} MemorySwapMax=8M`);
    await isPutBackAfter(`systemctl set-property --runtime ${scope} CPUWeight=77`);
  });

  test("or stays, when systemd starts anew", async () => {
    for (const command of ["daemon-reload", "daemon-reexec"]) {
      await guest.must(`systemctl ${command}`);
      await pods.untilExact(container);
    }
  });

  test("in the cgroup that a restart of the container makes", async () => {
    const isOfContainer = ({ id, event }: { id?: unknown; event: string }) =>
      id === container.id && event === "swap-limit-set";
    const before = (await agent.log()).filter(isOfContainer).length;
    await guest.must(`podman restart --time 0 ${container.id}`);
    await pods.untilExact(container);
    expect((await agent.log()).filter(isOfContainer)).toHaveLength(before + 1);
  });
});

describe.each(runtimes)("under %s, a container", (runtime) => {
  test("swaps up to its exact limit and is killed beyond it", async () => {
    const exactBytes = await pods.entitlementOf(spec);
    const script = hogOnceLimitIs(exactBytes);
    const container = await pods.runAndTell(runtime, { ...spec, ...withoutHook, script });
    try {
      const output = await guest.must(
        `podman wait ${container.id} > /dev/null; podman logs ${container.id} 2> /dev/null`,
      );
      const [moderate, excessive, peakBytes = 0] = output.trim().split("\n").map(Number);
      expect({ moderate, excessive }).toEqual({ moderate: 0, excessive: killed });
      expect(peakBytes).toBeLessThanOrEqual(exactBytes);
      expect(peakBytes).toBeGreaterThan(0.9 * exactBytes);
    } finally {
      await pods.remove(container);
    }
  });
});

/**
 * A container's script that waits for its limit, uses 76 MiB, then 160 MiB of memory, and prints how each ended and how
 * much was swapped. From /dev/urandom, because this kernel swaps no zeros.
 */
function hogOnceLimitIs(limitBytes: number): string {
  return `${untilLimitIs(limitBytes)}
    dd if=/dev/urandom of=/dev/null bs=76M count=1; echo $?
    dd if=/dev/urandom of=/dev/null bs=160M count=1; echo $?
    cat $cgroup/memory.swap.peak`;
}

test("agent --once tells of each container in a table", async () => {
  const containers: PodContainer[] = [];
  for (const runtime of runtimes) containers.push(await pods.runAndTell(runtime, spec));
  try {
    const rows: string[][] = [];
    for (const container of containers) {
      const bytes = String(await pods.untilExact(container));
      rows.push(["default", container.pod.name, "app", "kept", "limited-swap", bytes, bytes, "0"]);
    }
    // A dry run, because the agent at work has the lock.
    const table = await guest.must(`wasp agent --once --dry-run ${pods.flags.map(quote).join(" ")}`);
    const [headings, ...found] = table
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
    expect(headings?.slice(0, 4)).toEqual(["NAMESPACE", "POD", "CONTAINER", "STATE"]);
    expect(found).toEqual(rows);
  } finally {
    await pods.remove(...containers);
  }
});

/** The limit in force, before the agent knows the container. */
async function limitInForce({ own }: PodContainer): Promise<number> {
  const limits = (await guest.must(`cat ${own.map((level) => `${level}/memory.swap.max`).join(" ")}`))
    .trim()
    .split("\n");
  return Math.min(...limits.map((limit) => (limit === "max" ? Number.POSITIVE_INFINITY : Number(limit))));
}
