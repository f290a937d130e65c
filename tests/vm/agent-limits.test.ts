/** The agent on a real node: exact swap limits, and their restoration after changes by others. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { kubeletOomScoreAdj } from "../node/kubelet.ts";
import { runtimes } from "./container.ts";
import { quote } from "./guest.ts";
import { GuestAgent } from "./guest-agent.ts";
import { startNode } from "./node.ts";
import { NodePods, noHooks, onlyEvents, type PodContainer, untilLimitIs } from "./node-pods.ts";
import { readCapacity, swapShares } from "./pods.ts";

const guest = await startNode();
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
  // The kubelet makes them, under either driver, before it starts a container.
  await guest.must("systemctl start kubepods.slice; mkdir --parents /sys/fs/cgroup/kubepods");
  pods = await NodePods.start(guest);
  agent = await GuestAgent.start(guest, [...pods.flags, ...onlyEvents, "--max-restores-per-minute=1000"]);
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
      expect(await readEffectiveLimit(container)).toBe(beforeBytes);
      pods.list(container);
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

describe.each(runtimes)("under %s, a limit is restored", (runtime) => {
  let container: PodContainer;
  let scope: string;

  beforeAll(async () => {
    container = await pods.runListed(runtime, { ...spec, ...withoutHook });
    scope = `libpod-${container.id}.scope`;
    await pods.untilExact(container);
  });

  afterAll(() => pods.remove(container));

  async function expectRestoredAfter(script: string): Promise<void> {
    const drifts = await agent.metric("wasp_swap_limit_drifts_total");
    await guest.must(script);
    await agent.untilMetric("wasp_swap_limit_drifts_total", (count) => count > drifts);
    await pods.untilExact(container);
  }

  test("after a write to the cgroup", async () => {
    const files = container.own.map((directory) => `${directory}/memory.swap.max`);
    for (const file of files) await expectRestoredAfter(`echo 1M > ${file}`);
    await expectRestoredAfter(files.map((file) => `echo max > ${file}`).join("; "));
  });

  test("after an update by the runtime", async () => {
    await expectRestoredAfter(`${runtime} update --memory 83886080 --memory-swap 94371840 ${container.id}`);
  });

  test("after an update by podman", async () => {
    await expectRestoredAfter(`podman update --memory 70m --memory-swap 100m ${container.id}`);
  });

  test("after a change of the unit's property, which systemd writes again with every other property", async () => {
    await expectRestoredAfter(`systemctl set-property --runtime ${scope} MemorySwapMax=8M`);
    await expectRestoredAfter(`systemctl set-property --runtime ${scope} CPUWeight=77`);
  });

  test("or kept when systemd reloads and re-executes", async () => {
    for (const command of ["daemon-reload", "daemon-reexec"]) {
      await guest.must(`systemctl ${command}`);
      await pods.untilExact(container);
    }
  });

  test("in the new cgroup after a restart of the container", async () => {
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
    const container = await pods.runListed(runtime, { ...spec, ...withoutHook, script });
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
 * Returns a container's script that waits for its limit, uses 76 MiB, then 160 MiB of memory, and prints both exit codes and
 * the peak of swap. The data is random, because the kernel does not swap pages of zeros.
 */
function hogOnceLimitIs(limitBytes: number): string {
  return `${untilLimitIs(limitBytes)}
    dd if=/dev/urandom of=/dev/null bs=76M count=1; echo $?
    dd if=/dev/urandom of=/dev/null bs=160M count=1; echo $?
    cat $cgroup/memory.swap.peak`;
}

test("agent --once prints a table of all containers", async () => {
  const containers: PodContainer[] = [];
  for (const runtime of runtimes) containers.push(await pods.runListed(runtime, spec));
  try {
    const rows: string[][] = [];
    for (const container of containers) {
      const bytes = String(await pods.untilExact(container));
      rows.push(["default", container.pod.name, "app", "kept", "limited-swap", bytes, bytes, "0"]);
    }
    // A dry run, because the running agent has the lock.
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

/** Reads the effective limit. */
async function readEffectiveLimit({ own }: PodContainer): Promise<number> {
  const limits = (await guest.must(`cat ${own.map((level) => `${level}/memory.swap.max`).join(" ")}`))
    .trim()
    .split("\n");
  return Math.min(...limits.map((limit) => (limit === "max" ? Number.POSITIVE_INFINITY : Number(limit))));
}
