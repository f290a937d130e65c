/** The agent on a node that changes: swap, the kubepods slice, the clock, and a second agent. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { quote } from "./guest.ts";
import { GuestAgent } from "./guest-agent.ts";
import { startNode } from "./node.ts";
import { NodePods, onlyEvents, type PodContainer, removeKubepods, untilHolds } from "./node-pods.ts";
import { readCapacity } from "./pods.ts";

const guest = await startNode();
const MiB = 2 ** 20;
const nodeSwapLimitBytes = 512 * MiB;
const limitOfKubepods = "/sys/fs/cgroup/kubepods.slice/memory.swap.max";
const spec = { requestBytes: 40_000_001, memory: "64m" };

let pods: NodePods;
let agent: GuestAgent;
let flags: string[];

beforeAll(async () => {
  // The state before the kubelet's first start.
  await guest.must(removeKubepods);
  pods = await NodePods.start(guest);
  flags = [...pods.flags, `--node-swap-limit=${nodeSwapLimitBytes}`, ...onlyEvents];
  agent = await GuestAgent.start(guest, flags);
});

test("a kubepods slice that is created later is found, also when it is recreated", async () => {
  for (let time = 0; time < 2; time++) {
    await guest.must(removeKubepods);
    const container = await pods.runListed("runc", spec);
    try {
      await pods.untilExact(container);
      await untilHolds(guest, [limitOfKubepods], [String(nodeSwapLimitBytes)]);
    } finally {
      await pods.remove(container);
    }
  }
  // A new slice's first limit is not a restoration. systemd removes the limit when the slice's last container ends.
  expect(await agent.events("node-swap-limit-set")).toHaveLength(2);
});

describe("the limit of all pods together", () => {
  const isHeld = () => untilHolds(guest, [limitOfKubepods], [String(nodeSwapLimitBytes)]);

  beforeAll(async () => {
    await guest.must("systemctl start kubepods.slice");
    await isHeld();
  });

  afterAll(() => guest.must("systemctl revert kubepods.slice"));

  test("is restored when systemd sets another one", async () => {
    await guest.must("systemctl set-property --runtime kubepods.slice MemorySwapMax=100M");
    await agent.event("node-swap-limit-restored", ({ beforeBytes }) => beforeBytes === 100 * MiB);
    await isHeld();
  });

  test("is kept when systemd reloads, or sets another property", async () => {
    await guest.must("systemctl daemon-reload");
    await isHeld();
    await guest.must("systemctl set-property --runtime kubepods.slice CPUWeight=77");
    await isHeld();
  });
});

describe("limits follow the node's swap", () => {
  const swapFile = "/swapfile-more";
  let container: PodContainer;

  beforeAll(async () => {
    container = await pods.runListed("crun", spec);
    await pods.untilExact(container);
  });

  afterAll(async () => {
    await guest.must(`swapoff ${swapFile}; rm --force ${swapFile}; swapon --all`);
    await pods.remove(container);
  });

  test.each([
    {
      name: "that grows",
      script: `fallocate --length 256M ${swapFile} && chmod 600 ${swapFile} && mkswap --quiet ${swapFile} && swapon ${swapFile}`,
    },
    { name: "that shrinks", script: "swapoff /swapfile" },
    { name: "that is turned off", script: `swapoff ${swapFile}` },
    { name: "that is turned on again", script: "swapon /swapfile" },
  ])("$name", async ({ script }) => {
    const before = await agent.events("node-capacity-changed");
    await guest.must(script);
    await pods.untilExact(container);
    const { swapTotalBytes } = await readCapacity(guest);
    await agent.event("node-capacity-changed", (entry) => entry["swapTotalBytes"] === swapTotalBytes);
    expect(await agent.events("node-capacity-changed")).toHaveLength(before.length + 1);
  });
});

test("a clock that jumps changes nothing", async () => {
  const container = await pods.runListed("runc", spec);
  // After the jump, the kubelet's certificate is not valid by the node's clock, so the agent cannot read pods again.
  await pods.untilExact(container);
  try {
    for (const jump of ["+3 days", "-6 days"]) {
      await guest.must(`date --set=${quote(jump)}`);
      await pods.untilExact(container);
      const restored = await agent.events("swap-limit-restored");
      await guest.must(`echo 0 > ${quote(`${container.own[0]}/memory.swap.max`)}`);
      await pods.untilExact(container);
      expect((await agent.events("swap-limit-restored")).length).toBeGreaterThan(restored.length);
      await guest.must("busybox wget -qO- http://127.0.0.1:9809/healthz");
    }
  } finally {
    await guest.must(`date --set=@${Math.round(Date.now() / 1000)}`);
    await pods.remove(container);
  }
});

describe("a second agent on the node", () => {
  test("exits with the reason", async () => {
    const { code, stderr } = await guest.run(`wasp agent ${flags.map(quote).join(" ")}`);
    expect(code).toBe(1);
    expect(stderr).toContain("another wasp agent runs on this node");
  });

  test("takes over from a killed agent", async () => {
    await agent.kill();
    await using next = await GuestAgent.start(guest, flags);
    expect(await next.events("agent-ready")).toHaveLength(1);
  });
});
