/** A node with containerd made ready by wasp install, and one whose agent is containerd's plugin. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { kubeletOomScoreAdj } from "../node/kubelet.ts";
import { Containerd, containerdConfig } from "./containerd.ts";
import { CriPod } from "./cri-pods.ts";
import { GuestAgent } from "./guest-agent.ts";
import { sharedGuest } from "./node.ts";
import { NodePods } from "./node-pods.ts";
import { oomScoreAdjOf32MiB, readCapacity, swapShares } from "./pods.ts";

setDefaultTimeout(90_000);

const guest = await sharedGuest();
const shareOfSwap = await swapShares(guest);
const { memoryTotalBytes } = await readCapacity(guest);
const memoryLimitBytes = 64 * 1024 ** 2;

let containerd: Containerd;
let pods: NodePods;
let configBefore: string;

beforeAll(async () => {
  containerd = await Containerd.start(guest, "untold");
  pods = await NodePods.start(guest);
  configBefore = await guest.must(`cat ${containerdConfig}`);
});

afterAll(async () => {
  await guest.must("wasp uninstall --limits Keep");
  await containerd?.[Symbol.asyncDispose]();
  // It waits for what is left of the pods to end.
  await pods?.[Symbol.asyncDispose]();
});

const install = (flags: string) => guest.run(`wasp install --only containerd ${flags}`);

/** What a check finds of one thing. */
async function findingOf(id: string): Promise<Record<string, string> | undefined> {
  const { stdout } = await guest.run("wasp install --check -o json");
  return JSON.parse(stdout).findings.find((finding: { readonly id: string }) => finding.id === id);
}

test("wasp install turns NRI on, and has systemd run the plugin", async () => {
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
  // With containerd's own patience, an emulated processor may answer too late: then it is made good once it is back.
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

test("wasp uninstall takes both away, and containers' swap with them", async () => {
  const pod = await CriPod.run(guest, containerd, "left");
  const container = await pod.start({ name: "app", memoryLimitBytes, oomScoreAdj: oomScoreAdjOf32MiB });
  await container.untilFiles({ "memory.swap.max": `${shareOfSwap(oomScoreAdjOf32MiB)}` });
  expect(await guest.run("wasp uninstall")).toMatchObject({ code: 0, stderr: "" });
  expect(await guest.must(`cat ${containerdConfig}`)).toBe(configBefore);
  expect(await guest.must("systemctl list-units --all --no-legend 'wasp-nri*'")).toBe("");
  expect(await container.files("memory.swap.max")).toEqual({ "memory.swap.max": "0" });
});

test("an agent that is the plugin gives a container its exact limit before it starts", async () => {
  // Not a whole number of thousandths of the node's memory, which is all that oom_score_adj tells.
  const requestBytes = 40_000_001;
  const pod = await CriPod.run(guest, containerd, "exact");
  const tell = (id?: string) =>
    pods.tell({
      ...{ id: id ?? "", requestBytes, own: [] },
      pod: {
        ...{ uid: pod.uid, name: "exact", namespace: "default" },
        containers: [{ name: "app", id, requestBytes, limitBytes: memoryLimitBytes }],
      },
    });
  tell();
  await using agent = await GuestAgent.start(guest, [...pods.flags, "--nri", "--pod-poll-seconds=1"]);
  await agent.event("nri-synchronized", undefined, 60);
  const oomScoreAdj = kubeletOomScoreAdj(requestBytes, memoryTotalBytes);
  const container = await pod.start({ name: "app", memoryLimitBytes, oomScoreAdj });
  const exactBytes = await pods.entitlementOf({ requestBytes });
  expect(shareOfSwap(oomScoreAdj)).toBeLessThan(exactBytes);
  await container.untilFiles({ "memory.swap.max": `${exactBytes}` });
  tell(container.id);
  await agent.untilMetric('wasp_containers{state="kept"}', (count) => count === 1, 60);
  await container.resize(2 * memoryLimitBytes);
  expect(await container.files("memory.swap.max")).toEqual({ "memory.swap.max": `${exactBytes}` });
  expect(await agent.events("stood-down")).toEqual([]);
  expect(await agent.events("swap-limit-restored")).toEqual([]);
});
