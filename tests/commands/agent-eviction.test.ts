import { describe, expect, test } from "bun:test";
import { shareOf } from "../node/agent-node.ts";
import { failure } from "../node/api-answers.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { REQUEST_BYTES } from "../node/pods.ts";
import { NODE, PressedNode } from "../node/pressed-node.ts";
import { RunningAgent } from "../node/running-agent.ts";

const FOREIGN = { key: "example.com/maintenance", value: "soon", effect: "NoSchedule" };
const OWN = { key: "wasp.io/swap-pressure", effect: "NoSchedule" };
const FIGURES =
  /Pods stalled on memory \d+ % of the time .*; swap 50 % full; \d+ pages per second swapped in/;

describe.concurrent("eviction", () => {
  test("evicts the hog and not its neighbour, and log, Events and metrics show the reason", async () => {
    using pressed = await PressedNode.start({ cooldownSeconds: 60 });
    const hog = pressed.addPod(1, 600);
    const neighbour = pressed.addPod(2, 50);
    await using agent = pressed.agent();
    const who = { namespace: "test", pod: hog.name, podUid: hog.uid };
    const decision = await agent.event("eviction-decided");
    expect(decision).toMatchObject({
      ...who,
      method: "evict",
      mode: "Enforce",
      thresholds: "stalled",
      why: "over its requests by 536 MiB, priority 0",
      // The neighbour's end would not relieve.
      ranking: "test/pod-1",
      candidates: 1,
      swapUtilization: 0.5,
      swapInPagesPerSecond: expect.any(Number),
      pressureCause: "anonymous-refault",
    });
    expect(decision["stall"]).toBeWithin(0.2, 0.8);
    expect(decision["memoryPressure"]).toBe(decision["stall"]);
    await agent.event("pod-evicted", (entry) => entry["pod"] === hog.name && entry["answer"] === "accepted");
    expect(pressed.evictions.map(({ body }) => body)).toEqual([
      {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { namespace: "test", name: hog.name },
        deleteOptions: { preconditions: { uid: hog.uid } },
      },
    ]);
    await agent.until(() => pressed.server.objects.events.size === 2, "two events");
    const events = [...pressed.server.objects.events.values()];
    expect(events).toEqual([
      expect.objectContaining({
        involvedObject: expect.objectContaining({ kind: "Pod", name: hog.name, uid: hog.uid }),
      }),
      expect.objectContaining({ involvedObject: expect.objectContaining({ kind: "Node", name: NODE }) }),
    ]);
    for (const event of events) {
      expect(event).toMatchObject({ type: "Warning", reason: "SwapEviction", action: "Evict" });
      expect(event["message"]).toMatch(FIGURES);
      expect(event["message"]).toStartWith(
        "test/pod-1 is evicted: it is over its requests by 536 MiB, priority 0.",
      );
    }
    expect([...pressed.node.pods.keys()]).toEqual([neighbour.uid]);
  });

  test("taints the node while it lasts, and keeps other taints", async () => {
    using pressed = await PressedNode.start();
    pressed.taint(FOREIGN);
    pressed.addPod(1, 600);
    await using agent = pressed.agent();
    await agent.until(() => pressed.taints.length === 2, "the taint");
    expect(pressed.taints).toEqual([FOREIGN, OWN]);
    expect(await agent.event("node-tainted")).toMatchObject({ effect: "NoSchedule" });
    const status = (wanted: string) => agent.until(() => has(pressed.condition, wanted), `status ${wanted}`);
    await status("True");
    expect(pressed.condition).toMatchObject({
      reason: "SwapHurts",
      message: expect.stringMatching(FIGURES),
    });
    expect(await agent.metric('wasp_threshold_crossed{threshold="stalled"}')).toBe(1);
    expect(await agent.metric('wasp_signal_ratio{signal="memoryPressure"}')).toBeWithin(0.2, 0.8);
    await agent.event("pod-evicted");
    expect(await agent.metric('wasp_evictions_total{answer="accepted"}')).toBe(1);
    pressed.relieve();
    await agent.event("node-untainted");
    expect(pressed.taints).toEqual([FOREIGN]);
    await status("False");
    expect(pressed.condition).toMatchObject({ reason: "SwapIsQuiet" });
    expect(await agent.metric('wasp_threshold_crossed{threshold="stalled"}')).toBe(0);
  });

  test("that is no longer enforced removes the taint and resets the condition", async () => {
    using pressed = await PressedNode.start();
    pressed.taint(FOREIGN);
    await using agent = pressed.agent();
    await agent.until(() => has(pressed.condition, "True"), "the condition");
    pressed.configure({ evictionMode: "DryRun" });
    await agent.until(() => has(pressed.condition, "Unknown"), "the condition");
    await agent.event("node-untainted");
    expect(pressed.taints).toEqual([FOREIGN]);
    pressed.configure({ evictionMode: "Enforce" });
    await agent.until(() => pressed.taints.length === 2, "the taint again");
    pressed.configure({ evictionMode: "Off" });
    await agent.until(() => pressed.taints.length === 1 && has(pressed.condition, "Unknown"), "no taint");
    expect(await agent.metric('wasp_signal_ratio{signal="memoryPressure"}')).toBeUndefined();
  });

  test("restores a taint or condition that another client removed, and logs it", async () => {
    using pressed = await PressedNode.start();
    await using agent = pressed.agent();
    await agent.until(() => has(pressed.condition, "True"), "the condition");
    pressed.taint(FOREIGN);
    expect(await agent.event("node-mark-restored")).toMatchObject({ level: "warning", lost: "taint" });
    expect(pressed.taints).toEqual([FOREIGN, OWN]);
    expect(await agent.metric("wasp_node_mark_restores_total")).toBe(1);
  });

  test("removes at its start the taint of an earlier agent", async () => {
    using pressed = await PressedNode.start();
    pressed.relieve();
    pressed.taint(OWN, FOREIGN);
    await using agent = pressed.agent();
    await agent.event("node-untainted");
    expect(pressed.taints).toEqual([FOREIGN]);
    await agent.until(() => has(pressed.condition, "False"), "the condition");
  });

  test("that is a dry run records Events and nothing else", async () => {
    using pressed = await PressedNode.start({ cooldownSeconds: 60 });
    pressed.addPod(1, 600);
    await using agent = pressed.agent("DryRun");
    expect(await agent.event("eviction-decided")).toMatchObject({ pod: "pod-1", mode: "DryRun" });
    await agent.until(() => pressed.server.objects.events.size === 2, "two events");
    expect([...pressed.server.objects.events.values()]).toEqual(
      ["Pod", "Node"].map((kind) =>
        expect.objectContaining({
          reason: "SwapEvictionPlanned",
          involvedObject: expect.objectContaining({ kind }),
          message: expect.stringMatching(/^test\/pod-1 would be evicted: /),
        }),
      ),
    );
    // The pressure lasts, and the agent runs, for some more ticks.
    await agent.event("eviction-held", ({ reason }) => reason === "cooldown");
    expect(pressed.server.objects.requests.map(({ line }) => line)).toEqual([
      "POST /api/v1/namespaces/test/events",
      "POST /api/v1/namespaces/default/events",
    ]);
    expect(await agent.metric('wasp_evictions_total{answer="dry-run"}')).toBe(1);
    expect(agent.events("eviction-refused")).toEqual([]);
  });

  test("that is off reads the node once, and sends the API server nothing else", async () => {
    using pressed = await PressedNode.start({ sweepSeconds: 1 });
    pressed.addPod(1, 600);
    await using agent = pressed.agent("Off");
    await agent.event("agent-ready");
    await agent.passes(5);
    const lines = pressed.server.objects.requests.map(({ line }) => line);
    expect(lines).toEqual([`GET /api/v1/nodes/${NODE}`]);
    expect(agent.events("eviction-decided")).toEqual([]);
    expect(agent.events("node-cleared")).toEqual([]);
  });

  test("that is off removes at its start what an earlier agent left, and nothing else", async () => {
    using pressed = await PressedNode.start({ sweepSeconds: 1 });
    {
      await using enforcing = pressed.agent();
      pressed.addPod(1, 600);
      await enforcing.event("pod-evicted");
      // Written beside the request.
      await enforcing.until(() => pressed.condition !== undefined, "the condition");
    }
    const { objects } = pressed.server;
    const metadata = () => objects.nodes.get(NODE)?.metadata ?? { name: NODE, resourceVersion: "" };
    expect(metadata().annotations).toHaveProperty(["wasp.io/evictions"]);
    objects.putNode(NODE, {
      metadata: { ...metadata(), annotations: { ...metadata().annotations, theirs: "1" } },
    });
    pressed.taint(OWN, FOREIGN);
    await using agent = pressed.agent("Off");
    expect(await agent.event("node-cleared")).toMatchObject({ removed: "taint, condition, annotation" });
    expect(pressed.taints).toEqual([FOREIGN]);
    expect(pressed.condition).toBeUndefined();
    expect(metadata().annotations).toMatchObject({ theirs: "1" });
    expect(metadata().annotations).not.toHaveProperty(["wasp.io/evictions"]);
    expect(objects.nodes.get(NODE)?.status.conditions).toHaveLength(4);
  });

  test("that is off keeps limits without the permission to read the node", async () => {
    using pressed = await PressedNode.start({ sweepSeconds: 1 });
    pressed.taint(OWN);
    pressed.server.objects.always(
      `GET /api/v1/nodes/${NODE}`,
      failure(403, "Forbidden", "nodes is forbidden"),
    );
    await using agent = pressed.agent("Off");
    await agent.event("agent-ready");
    await agent.passes(3);
    expect(pressed.taints).toEqual([OWN]);
    expect(pressed.server.objects.requests).toHaveLength(1);
    expect(agent.events("node-unmarked")).toEqual([]);
  });

  test("skips pods that are never evicted, and one that was replaced, which the kubelet does not show yet", async () => {
    using pressed = await PressedNode.start({ evictionOptOut: "Always" });
    pressed.addPod(1, 900, { annotations: { "wasp.io/evict": "false" } });
    pressed.addPod(2, 800, { priority: 2_000_000_000 });
    pressed.addPod(3, 700, { namespace: "kube-system" });
    const recreated = pressed.addPod(4, 600);
    pressed.addPod(5, 500);
    const { name } = recreated;
    pressed.server.cluster.pods.set(name, { name, uid: "another", node: NODE, revision: 2000 });
    await using agent = pressed.agent();
    await agent.event("pod-evicted");
    expect(await agent.event("eviction-refused")).toMatchObject({ pod: name, answer: "gone" });
    expect(pressed.asked).toEqual(["pod-4", "pod-5"]);
    expect(pressed.server.cluster.pods.has(name)).toBe(true);
  });

  test("believes what the kubelet says of a pod, and not what its author wrote", async () => {
    using pressed = await PressedNode.start();
    const forged = {
      "kubernetes.io/config.source": "file",
      "descheduler.alpha.kubernetes.io/eviction-in-progress": "kubevirt",
    };
    // The kubelet overrides the source in its list.
    const { name } = pressed.addPod(1, 600, {
      annotations: { ...forged, "kubernetes.io/config.source": "api" },
    });
    await using agent = pressed.agent();
    await agent.event("pod-evicted", (entry) => entry["pod"] === name);
    expect(agent.events("eviction-refused")).toEqual([]);
  });

  test("sees a pod with a limit of more memory than can be counted", async () => {
    using pressed = await PressedNode.start();
    const containers = [
      { name: "app", id: containerIdOf(1), requestBytes: REQUEST_BYTES, limitBytes: 8 * 2 ** 50 },
    ];
    pressed.addPod(1, 600, { containers });
    pressed.addPod(2, 100);
    await using agent = pressed.agent();
    expect(await agent.event("eviction-decided")).toMatchObject({ pod: "pod-1" });
    expect(agent.events("pod-ignored")).toEqual([]);
  });

  test("heads for a pod that opted out as far as the configuration lets it", async () => {
    const optOut = { annotations: { "wasp.io/evict": "false" } };
    using pressed = await PressedNode.start({ evictionOptOutNamespaces: ["else*"] });
    pressed.addPod(1, 700, optOut);
    await using agent = pressed.agent();
    await agent.event("pod-evicted", ({ pod }) => pod === "pod-1");
    // From now on the annotation holds there, but only for a pod within its request.
    pressed.configure({ evictionMode: "Enforce", evictionOptOutNamespaces: ["te*"] });
    await agent.event("config-reloaded", ({ changed }) => changed === "evictionOptOutNamespaces");
    // Within its request, and what moves is its own: it would help, as far as that is all that would.
    pressed.thrash(pressed.addPod(2, 62, optOut));
    pressed.addPod(3, 900, optOut);
    await agent.event("pod-evicted", ({ pod }) => pod === "pod-3");
    await agent.event("eviction-held", ({ reason }) => reason === "relieving-kept");
    expect(pressed.asked).toEqual(["pod-1", "pod-3"]);
  });

  test("is impossible without the node's name, and limits are kept all the same", async () => {
    using pressed = await PressedNode.start();
    const pod = pressed.addPod(1, 600);
    const [{ id = "" } = { id: "" }] = pod.containers;
    await using agent = new RunningAgent([...pressed.flags, "--eviction-mode=Enforce"]);
    expect(await agent.event("eviction-impossible")).toMatchObject({
      level: "error",
      error: "the node's name is not known: set --node-name or NODE_NAME",
    });
    await agent.until(() => pressed.node.swapMax(pod, id) === shareOf(REQUEST_BYTES));
    expect(pressed.server.objects.requests).toEqual([]);
  });
});

function has(condition: object | undefined, status: string): boolean {
  return condition !== undefined && "status" in condition && condition.status === status;
}
