/** wasp install on a node with containerd, and an agent that is containerd's plugin. */
import { beforeAll, expect, test } from "bun:test";
import { kubeletOomScoreAdj } from "../node/kubelet.ts";
import { Containerd, containerdConfig } from "./containerd.ts";
import { CriPod } from "./cri-pods.ts";
import { GuestAgent } from "./guest-agent.ts";
import { startNode } from "./node.ts";
import { NodePods } from "./node-pods.ts";
import { oomScoreAdjOf32MiB, readCapacity, swapShares } from "./pods.ts";

const guest = await startNode();
const shareOfSwap = await swapShares(guest);
const { memoryTotalBytes } = await readCapacity(guest);
const memoryLimitBytes = 64 * 1024 ** 2;

let containerd: Containerd;
let pods: NodePods;
let configBefore: string;

beforeAll(async () => {
  containerd = await Containerd.start(guest, "no-section");
  pods = await NodePods.start(guest);
  configBefore = await guest.must(`cat ${containerdConfig}`);
});

const install = (flags: string) => guest.run(`wasp install --only containerd ${flags}`);

/** Returns one finding of a check. */
async function findingOf(id: string): Promise<Record<string, string> | undefined> {
  const { stdout } = await guest.run("wasp install --check -o json");
  return JSON.parse(stdout).findings.find((finding: { readonly id: string }) => finding.id === id);
}

test("wasp install turns NRI on, and installs the plugin as a unit", async () => {
  expect(await findingOf("nri")).toMatchObject({
    severity: "warning",
    found: expect.stringContaining("NRI is off"),
    remedy: "wasp install --only containerd --restart",
  });
  const planned = await install("--restart --dry-run");
  expect(planned).toMatchObject({ code: 0, stderr: "" });
  expect(planned.stdout).toContain('+[plugins."io.containerd.nri.v1.nri"] # by wasp install');
  expect(await guest.must(`cat ${containerdConfig}`)).toBe(configBefore);

  expect(await install("--restart")).toMatchObject({ code: 0, stderr: "" });
  expect(await guest.must("systemctl is-active containerd wasp-nri; systemctl is-enabled wasp-nri")).toBe(
    "active\nactive\nenabled\n",
  );
  // With containerd's own time-outs, an emulated plugin may answer too late; it corrects the limit once it is back.
  const pod = await CriPod.run(guest, containerd, "installed");
  const container = await pod.start({ name: "app", memoryLimitBytes, oomScoreAdj: oomScoreAdjOf32MiB });
  await container.untilFiles({ "memory.swap.max": `${shareOfSwap(oomScoreAdjOf32MiB)}` });
  await container.resize(2 * memoryLimitBytes);
  await container.untilFiles({ "memory.swap.max": `${shareOfSwap(oomScoreAdjOf32MiB)}` });
  expect(await findingOf("nri")).toMatchObject({
    severity: "ok",
    found: `wasp is the runtime's plugin: pid ${(await guest.must("systemctl show --property=MainPID --value wasp-nri")).trim()}`,
  });
  const again = await install("--restart");
  expect(again.stdout).toContain("nothing to do: containerd: all as planned");
});

test("wasp uninstall removes both, and containers' swap", async () => {
  const pod = await CriPod.run(guest, containerd, "left");
  const container = await pod.start({ name: "app", memoryLimitBytes, oomScoreAdj: oomScoreAdjOf32MiB });
  await container.untilFiles({ "memory.swap.max": `${shareOfSwap(oomScoreAdjOf32MiB)}` });
  expect(await guest.run("wasp uninstall")).toMatchObject({ code: 0, stderr: "" });
  expect(await guest.must(`cat ${containerdConfig}`)).toBe(configBefore);
  expect(await guest.must("systemctl list-units --all --no-legend 'wasp-nri*'")).toBe("");
  expect(await container.files("memory.swap.max")).toEqual({ "memory.swap.max": "0" });
});

test("an agent as the plugin sets a container's exact limit before it starts", async () => {
  // oom_score_adj only has thousandths of the node's memory, and this is no whole number of them.
  const requestBytes = 40_000_001;
  const pod = await CriPod.run(guest, containerd, "exact");
  const list = (id?: string) =>
    pods.list({
      ...{ id: id ?? "", requestBytes, own: [] },
      pod: {
        ...{ uid: pod.uid, name: "exact", namespace: "default" },
        containers: [{ name: "app", id, requestBytes, limitBytes: memoryLimitBytes }],
      },
    });
  list();
  await using agent = await GuestAgent.start(guest, [...pods.flags, "--nri", "--pod-poll-seconds=1"]);
  await agent.event("nri-synchronized", undefined, 60);
  const oomScoreAdj = kubeletOomScoreAdj(requestBytes, memoryTotalBytes);
  const container = await pod.start({ name: "app", memoryLimitBytes, oomScoreAdj });
  const exactBytes = await pods.entitlementOf({ requestBytes });
  expect(shareOfSwap(oomScoreAdj)).toBeLessThan(exactBytes);
  await container.untilFiles({ "memory.swap.max": `${exactBytes}` });
  list(container.id);
  await agent.untilMetric('wasp_containers{state="kept"}', (count) => count === 1, 60);
  await container.resize(2 * memoryLimitBytes);
  expect(await container.files("memory.swap.max")).toEqual({ "memory.swap.max": `${exactBytes}` });
  expect(await agent.events("stood-down")).toEqual([]);
  expect(await agent.events("swap-limit-restored")).toEqual([]);
});
