import { describe, expect, test } from "bun:test";
import { failure, hangUp } from "../node/api-answers.ts";
import { answerAfter } from "../node/fake-kubelet.ts";
import { PressedNode } from "../node/pressed-node.ts";
import { patience } from "../patience.ts";

const REQUEST = "POST /api/v1/namespaces/test/pods/pod-1/eviction";

describe.concurrent("the node annotation wasp.io/eviction", () => {
  test("stops evictions at once, and its removal resumes them", async () => {
    using pressed = await PressedNode.start({ sweepSeconds: 1 });
    pressed.addPod(1, 900);
    await using agent = pressed.agent();
    await agent.event("pod-evicted");
    pressed.annotate("Off");
    const annotated = performance.now();
    expect(await agent.event("eviction-stopped")).toMatchObject({
      level: "warning",
      annotation: "wasp.io/eviction",
    });
    expect(performance.now() - annotated).toBeLessThan(patience(2));
    pressed.addPod(2, 800);
    await agent.event("eviction-held", ({ reason }) => reason === "stopped");
    // The pressure lasts, and the node shows it.
    await agent.until(() => pressed.taints.length === 1, "the taint");
    await agent.passes(2);
    expect(pressed.asked).toEqual(["pod-1"]);
    expect(agent.events("eviction-decided")).toHaveLength(1);
    pressed.annotate(undefined);
    await agent.event("eviction-restarted");
    await agent.event("pod-evicted", ({ pod }) => pod === "pod-2");
    expect(pressed.asked).toEqual(["pod-1", "pod-2"]);
  });

  test("keeps a request that was lost from being sent again", async () => {
    using pressed = await PressedNode.start();
    const asked: string[] = [];
    pressed.server.objects.beforeServing = ({ line }) => {
      if (line === REQUEST) asked.push(line);
    };
    const stopped = Promise.withResolvers<void>();
    pressed.server.objects.instead(REQUEST, answerAfter(stopped.promise, hangUp));
    pressed.addPod(1, 900);
    await using agent = pressed.agent();
    await agent.until(() => asked.length === 1, "the request");
    pressed.annotate("Off");
    await agent.event("eviction-stopped");
    stopped.resolve();
    expect(await agent.event("eviction-withdrawn")).toMatchObject({ pod: "pod-1" });
    await agent.event("eviction-held", ({ reason }) => reason === "stopped");
    expect(asked).toEqual([REQUEST]);
  });

  test("is in force from the start of an agent", async () => {
    using pressed = await PressedNode.start();
    pressed.annotate("off");
    pressed.addPod(1, 900);
    await using agent = pressed.agent();
    await agent.event("eviction-held", ({ reason }) => reason === "stopped");
    await agent.event("eviction-stopped");
    expect(pressed.asked).toEqual([]);
  });

  test("is read now and then without the permission to watch nodes, which is logged", async () => {
    using pressed = await PressedNode.start();
    pressed.server.nodeWatches.always = failure(403, "Forbidden", "nodes is forbidden");
    pressed.annotate("Off");
    pressed.addPod(1, 900);
    await using agent = pressed.agent();
    expect(await agent.event("node-unwatched")).toMatchObject({
      level: "warning",
      error: expect.stringContaining("requires a permission"),
    });
    await agent.event("eviction-held", ({ reason }) => reason === "stopped");
    pressed.annotate(undefined);
    await agent.event("pod-evicted");
    expect(agent.events("node-watched")).toEqual([]);
    pressed.server.nodeWatches.always = undefined;
    await agent.event("node-watched");
  });

  test("with another value is ignored, which is logged once", async () => {
    using pressed = await PressedNode.start();
    pressed.annotate("Paused");
    pressed.addPod(1, 900);
    await using agent = pressed.agent();
    await agent.event("pod-evicted");
    expect(agent.events("node-annotation-ignored")).toEqual([
      expect.objectContaining({
        level: "warning",
        error: 'wasp.io/eviction: "Paused" is not Off, the only value that stops evictions',
      }),
    ]);
  });

  test("is not followed unless evictions are enforced", async () => {
    using pressed = await PressedNode.start();
    await using agent = pressed.agent();
    await agent.until(() => pressed.server.nodeWatches.open === 1, "the watch");
    pressed.configure({ evictionMode: "DryRun" });
    await agent.until(() => pressed.server.nodeWatches.open === 0, "the end of the watch");
    pressed.configure({ evictionMode: "Enforce" });
    await agent.until(() => pressed.server.nodeWatches.open === 1, "the watch again");
    pressed.configure({ evictionMode: "Off" });
    await agent.until(() => pressed.server.nodeWatches.open === 0, "the end of the watch again");
  });
});
