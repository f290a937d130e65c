import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { wasp } from "../node/binary.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { type PodSpec, podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const ID = containerIdOf(1);
const SHARE = shareOf(REQUEST_BYTES);
const PAUSE = containerIdOf(900);
const pod = podOf(1);
const sliceOf = ({ uid }: PodSpec) => `kubepods-burstable-pod${uid.replaceAll("-", "_")}.slice`;

/** Lists a pod without creating cgroups for its containers. */
function list(node: AgentNode, ...pods: PodSpec[]): void {
  for (const one of pods) node.pods.set(one.uid, one);
}

const flags = (node: AgentNode) => [...node.flags, "--pod-poll-seconds=1", "--sweep-seconds=1"];

describe.concurrent("a container is found", () => {
  test.each<[string, (of: PodSpec, id: string) => string]>([
    [
      "in the service of a runtime whose driver is cgroupfs",
      (of, id) => `/system.slice/containerd.service/${sliceOf(of)}:cri-containerd:${id}`,
    ],
    ["beside that service", (of, id) => `/system.slice/${sliceOf(of)}:cri-containerd:${id}`],
    ["at the root of the hierarchy", (of, id) => `/${sliceOf(of)}:cri-containerd:${id}`],
    [
      "deeper in its pod",
      (of, id) => `/kubepods.slice/kubepods-burstable.slice/${sliceOf(of)}/a/b/crio-${id}.scope`,
    ],
    ["below another parent", (_, id) => `/machine.slice/runtime/default/${id}`],
    ["in a user's session", (_, id) => `/user.slice/user-1000.slice/user@1000.service/app.slice/k3s/x/${id}`],
    [
      "in a kubepods below a user's session",
      ({ uid }, id) =>
        `/user.slice/user-1000.slice/user@1000.service/app.slice/k3s.service/evac/kubepods/burstable/pod${uid}/${id}`,
    ],
  ])("%s, at the start and later", async (_, pathOf) => {
    const late = podOf(2);
    using node = await AgentNode.start();
    node.makeCgroup(pathOf(pod, ID), "max");
    node.makeCgroup(pathOf(pod, PAUSE), "max");
    list(node, pod);
    await using agent = new RunningAgent(flags(node));
    await agent.until(() => node.swapMaxAt(pathOf(pod, ID)) === SHARE);
    node.makeCgroup(pathOf(late, containerIdOf(2)), "max");
    list(node, late);
    await agent.until(() => node.swapMaxAt(pathOf(late, containerIdOf(2))) === SHARE);
    node.writeSwapMaxAt(pathOf(pod, ID), "0");
    await agent.until(() => node.swapMaxAt(pathOf(pod, ID)) === SHARE);
    // A pause container is in no pod's status, and a shared cgroup is nobody's own.
    expect(node.swapMaxAt(pathOf(pod, PAUSE))).toBe("max");
    expect(node.swapMaxAt(pathOf(pod, ID).replace(/\/[^/]+$/, "") || node.kubepods)).toBe("max");
    expect(agent.events("container-unseen")).toEqual([]);
    expect(await agent.metric('wasp_containers{state="set"}')).toBe(2);
    expect((await agent.get("/readyz")).status).toBe(200);
    node.removeCgroup(pathOf(pod, ID));
    node.pods.delete(pod.uid);
    while ((await agent.metric('wasp_containers{state="set"}')) !== 1) await Bun.sleep(20);
  });
});

/** Writes what the kernel says of the processes in a cgroup, and of their memory. */
function populate(node: AgentNode, path: string, isPopulated: boolean, anonBytes = 64 * 2 ** 20): void {
  const directory = `/sys/fs/cgroup${path}`;
  node.node.write(`${directory}/cgroup.events`, `populated ${isPopulated ? 1 : 0}\nfrozen 0\n`);
  node.node.write(`${directory}/memory.stat`, `anon ${anonBytes}\nfile 268435456\nshmem 1073741824\n`);
}

const two = podOf(1, {
  containers: [
    { name: "app", id: ID, requestBytes: REQUEST_BYTES },
    { name: "log", id: containerIdOf(2), requestBytes: REQUEST_BYTES },
  ],
});
const both = String(2 * Number(SHARE));

describe.concurrent("containers in a sandbox have a limit together, at their pod's cgroup", () => {
  test("where they have no cgroup, as with Kata Containers", async () => {
    using node = await AgentNode.start();
    list(node, two);
    node.makeCgroup(`${node.podPath(two)}/cri-containerd-${PAUSE}.scope`, "max");
    populate(node, node.podPath(two), true);
    await using agent = new RunningAgent(flags(node));
    const named = 'namespace="default",pod="pod-1",container="app,log"';
    await agent.until(() => node.swapMaxAt(node.podPath(two)) === both);
    expect(await agent.event("swap-limit-set", ({ reason }) => reason === "pod-sandbox")).toMatchObject({
      container: "app,log",
      limitBytes: Number(both),
    });
    expect(await agent.metric(`wasp_container_swap_decision{${named},reason="pod-sandbox"}`)).toBe(1);
    node.writeSwapMaxAt(node.podPath(two), "max");
    await agent.until(() => node.swapMaxAt(node.podPath(two)) === both);
    // One more container in the sandbox, and one that may not swap.
    list(node, {
      ...two,
      containers: [
        ...two.containers,
        { name: "more", id: containerIdOf(3), requestBytes: REQUEST_BYTES },
        { name: "none", id: containerIdOf(4) },
      ],
    });
    await agent.until(() => node.swapMaxAt(node.podPath(two)) === String(3 * Number(SHARE)));
    expect(agent.events("container-unseen")).toEqual([]);
    expect((await agent.get("/readyz")).status).toBe(200);
  });

  test("where their cgroups are empty, as with gVisor", async () => {
    using node = await AgentNode.start();
    node.addPod(two, "max");
    for (const { id = "" } of two.containers) populate(node, node.containerPath(two, id), false, 0);
    populate(node, node.podPath(two), true);
    await using agent = new RunningAgent(flags(node));
    await agent.until(() => node.swapMaxAt(node.podPath(two)) === both);
    // Not in a sandbox after all: the limits of its containers are enough, and the pod's would be in their way.
    for (const { id = "" } of two.containers) populate(node, node.containerPath(two, id), true);
    await agent.until(() => node.swapMaxAt(node.podPath(two)) === "max");
    expect(node.swapMax(two, ID)).toBe(SHARE);
  });

  test("is shown by one pass, and set by it", async () => {
    using node = await AgentNode.start();
    list(node, two);
    node.makeCgroup(node.podPath(two), "max");
    populate(node, node.podPath(two), true);
    const { exitCode, stdout } = await wasp(["agent", "--once", ...node.flags]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^default +pod-1 +app,log +set +pod-sandbox +${both} +${both} +0$`, "m"),
    );
    expect(node.swapMaxAt(node.podPath(two))).toBe(both);
  });

  test("but a pause container is no sandbox", async () => {
    using node = await AgentNode.start();
    list(node, pod);
    node.makeCgroup(`${node.podPath(pod)}/crio-${PAUSE}.scope`, "max");
    populate(node, node.podPath(pod), true, 100_000);
    await using agent = new RunningAgent(flags(node));
    await agent.event("container-unseen");
    expect(node.swapMaxAt(node.podPath(pod))).toBe("max");
  });

  test("nor is a pod of which one container has processes", async () => {
    using node = await AgentNode.start();
    node.addPod(two);
    populate(node, node.containerPath(two, ID), false, 0);
    populate(node, node.containerPath(two, containerIdOf(2)), true);
    populate(node, node.podPath(two), true);
    await using agent = new RunningAgent(flags(node));
    expect(await agent.event("container-unseen")).toMatchObject({ container: "app", place: "empty" });
    expect(node.swapMaxAt(node.podPath(two))).toBe("max");
  });
});

describe.concurrent("a container that runs in no cgroup that can be found", () => {
  test("is named once, counted, and forgotten when it is found or has ended", async () => {
    using node = await AgentNode.start();
    for (const number of [1, 2, 3]) node.addPod(podOf(number));
    const [odd, ended] = [podOf(8), podOf(9)];
    list(node, odd, ended);
    await using agent = new RunningAgent(flags(node));
    await agent.event("agent-ready");
    for (const one of [odd, ended])
      expect(await agent.event("container-unseen", ({ pod: name }) => name === one.name)).toMatchObject({
        level: "warning",
        namespace: "default",
        container: "app",
        place: "missing",
      });
    expect(await agent.metric('wasp_containers{state="unseen"}')).toBe(2);
    const named = 'namespace="default",pod="pod-8",container="app",reason="no-cgroup"';
    expect(await agent.metric(`wasp_container_swap_decision{${named}}`)).toBe(1);
    // They are odd ones out: a roll-out of agents goes on.
    expect((await agent.get("/readyz")).status).toBe(200);
    await agent.passes(3);
    expect(agent.events("container-unseen")).toHaveLength(2);
    node.pods.delete(ended.uid);
    node.addPod(odd);
    await agent.until(() => node.swapMax(odd, containerIdOf(8)) === SHARE);
    while ((await agent.metric('wasp_containers{state="unseen"}')) !== 0) await Bun.sleep(20);
    expect(
      agent
        .events("container-seen")
        .map((entry) => entry["pod"])
        .sort(),
    ).toEqual(["pod-8", "pod-9"]);
  });

  test("makes the agent not ready if most containers are like it", async () => {
    using node = await AgentNode.start();
    node.addPod(podOf(1));
    list(node, podOf(2), podOf(3));
    await using agent = new RunningAgent(flags(node));
    await agent.event("container-unseen");
    while ((await agent.get("/readyz")).status !== 503) await Bun.sleep(20);
    expect(await (await agent.get("/readyz")).text()).toBe(
      "not ready: 2 of 3 running containers are in no cgroup that wasp can find\n",
    );
    expect((await agent.get("/healthz")).status).toBe(200);
    node.addPod(podOf(2));
    node.addPod(podOf(3));
    while ((await agent.get("/readyz")).status !== 200) await Bun.sleep(20);
  });

  test("is shown by one pass, with the reason, and one that ends meanwhile is not", async () => {
    using node = await AgentNode.start();
    node.addPod(podOf(1));
    list(node, podOf(2));
    const { exitCode, stdout, stderr } = await wasp(["agent", "--once", ...node.flags]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^default +pod-2 +app +unseen +no-cgroup +- +- +-$/m);
    node.pods.set(podOf(3).uid, podOf(3));
    const pass = wasp(["agent", "--once", ...node.flags]);
    await Bun.sleep(1000);
    node.pods.delete(podOf(3).uid);
    expect((await pass).stdout).not.toContain("pod-3");
  });

  test("is not searched for in the cgroup of another pod, nor by a name that may be another's", async () => {
    using node = await AgentNode.start();
    node.addPod(podOf(1));
    const claiming = podOf(2);
    const claimed = `${node.podPath(podOf(1))}/a/${containerIdOf(2)}`;
    node.makeCgroup(claimed, "max");
    node.makeCgroup("/system.slice/cron.service", "max");
    list(node, claiming, {
      ...podOf(3),
      containers: [{ name: "app", id: "cron", requestBytes: REQUEST_BYTES }],
    });
    await using agent = new RunningAgent(flags(node));
    for (const name of ["pod-2", "pod-3"])
      await agent.event("container-unseen", ({ pod: unseen }) => unseen === name);
    expect(node.swapMaxAt(claimed)).toBe("max");
    expect(node.swapMaxAt("/system.slice/cron.service")).toBe("max");
  });

  test("is not reported while its status may be old", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent(flags(node));
    await agent.event("agent-ready");
    node.kubelet.goDown();
    await agent.event("pods-unknown");
    node.removeCgroup(node.containerPath(pod, ID));
    expect(existsSync(node.directoryOf(pod, ID))).toBe(false);
    await agent.passes(20);
    expect(agent.events("container-unseen")).toEqual([]);
  });
});
