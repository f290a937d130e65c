import { describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import {
  type Answer,
  answer,
  brokenAnswer,
  recordedAnswer,
  recordedPods,
  slowAnswer,
} from "../node/fake-kubelet.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podListJson, podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const pod = podOf(1);
const ID = containerIdOf(1);
const SHARE = shareOf(REQUEST_BYTES);
const pods = recordedPods("kubelet-pods.json");

describe.concurrent("a kubelet", () => {
  test("that does not run yet is waited for", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.kubelet.goDown();
    await using agent = new RunningAgent(node.flags);
    expect(await agent.event("pods-unknown")).toMatchObject({ level: "warning" });
    expect((await agent.get("/readyz")).status).toBe(503);
    expect((await agent.get("/healthz")).status).toBe(200);
    expect(node.swapMax(pod, ID)).toBe("0");
    await node.kubelet.comeUp();
    await agent.event("agent-ready");
    await agent.event("pods-known");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    expect((await agent.get("/readyz")).status).toBe(200);
  });

  test("that stops changes no limit, and is logged once", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, "--pod-poll-seconds=1", "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    node.kubelet.goDown();
    await agent.event("pods-unknown");
    const late = podOf(2);
    node.addPod(late);
    node.writeSwapMax(pod, ID, "0");
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
    const failures = 'wasp_pod_list_requests_total{source="kubelet",outcome="failure"}';
    while (((await agent.metric(failures)) ?? 0) < 2) await Bun.sleep(20);
    await agent.passes(1);
    expect(node.swapMax(late, containerIdOf(2))).toBe("0");
    expect(agent.events("pods-unknown")).toHaveLength(1);
    expect(agent.log.length).toBeLessThan(12);
    await node.kubelet.comeUp();
    await agent.until(() => node.swapMax(late, containerIdOf(2)) === SHARE);
    expect(agent.events("pods-known")).toHaveLength(1);
  });

  test("that is slow is waited for", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.kubelet.answer = slowAnswer(1500, node.kubelet.answer);
    await using agent = new RunningAgent(node.flags);
    expect((await agent.get("/readyz")).status).toBe(503);
    await agent.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    expect(agent.events("pods-unknown")).toEqual([]);
  });

  test.each<[string, Answer, RegExp]>([
    [
      "rejects the token",
      recordedAnswer("kubelet-pods-no-token.http"),
      /does not accept the token in \S+: 401/,
    ],
    [
      "refuses",
      recordedAnswer("kubelet-pods-noperm.http"),
      /requires permission to get nodes\/pods or nodes\/proxy.*: 403/,
    ],
    ["fails", answer("500 Internal Server Error", "boom"), /answered 500 boom/],
    ["breaks off", brokenAnswer(pods), /the kubelet/],
    ["answers half of it", answer("200 OK", pods.slice(0, pods.length / 2)), /is not JSON/],
  ])("that %s is named, nothing is written, and it is asked again", async (_, fault, message) => {
    using node = await AgentNode.start();
    node.addPod(pod);
    const right = node.kubelet.answer;
    node.kubelet.answer = fault;
    await using agent = new RunningAgent(node.flags);
    const { error, retrySeconds } = await agent.event("pods-unknown");
    expect(error).toMatch(message);
    expect(retrySeconds).toBe(1);
    expect(node.swapMax(pod, ID)).toBe("0");
    node.kubelet.answer = right;
    await agent.event("pods-known");
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
  });

  test("with another server's certificate gets no request", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    const { folder } = node.kubelet;
    copyFileSync(`${folder}/other.pem`, `${folder}/trusted.pem`);
    await using agent = new RunningAgent([
      ...node.flags,
      `--kubelet-serving-certificate-file=${folder}/trusted.pem`,
    ]);
    const { error } = await agent.event("pods-unknown");
    expect(error).toMatch(/certificate/);
    // Not even the token was sent.
    expect(node.kubelet.requests).toEqual([]);
    copyFileSync(`${folder}/kubelet.pem`, `${folder}/trusted.pem`);
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
  });
});

describe.concurrent("a list", () => {
  test("of 5,000 pods is accepted", async () => {
    using node = await AgentNode.start();
    const last = podOf(5000);
    node.addPod(last);
    node.kubelet.answer = answer("200 OK", podListJson(Array.from({ length: 5000 }, (_, i) => podOf(i + 1))));
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    expect(node.swapMax(last, containerIdOf(5000))).toBe(SHARE);
    expect(agent.events("pods-unknown")).toEqual([]);
  });

  test("with an invalid pod is accepted without it", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.addPod(podOf(2));
    const list = JSON.parse(podListJson([pod, podOf(2), podOf(3)]));
    list.items[1].status.qosClass = "Best";
    node.kubelet.answer = answer("200 OK", JSON.stringify(list));
    await using agent = new RunningAgent([...node.flags, "--pod-poll-seconds=1", "--sweep-seconds=1"]);
    expect(await agent.event("pod-ignored")).toMatchObject({
      error: expect.stringMatching(/^pod default\/pod-2: status\.qosClass: "Best"/),
    });
    await agent.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    expect(node.swapMax(podOf(2), containerIdOf(2))).toBe("0");
    await agent.passes(2);
    expect(agent.events("pod-ignored")).toHaveLength(1);
  });

  test("with a figure that cannot be counted is accepted without that figure", async () => {
    using node = await AgentNode.start();
    node.addPod(podOf(2), "4096");
    const list = JSON.parse(podListJson([podOf(2)]));
    list.items[0].status.containerStatuses[0].allocatedResources.memory = "a lot";
    node.kubelet.answer = answer("200 OK", JSON.stringify(list));
    await using agent = new RunningAgent([...node.flags, "--pod-poll-seconds=1", "--sweep-seconds=1"]);
    expect(await agent.event("pod-ignored")).toMatchObject({
      error: expect.stringMatching(
        /^pod default\/pod-2: container app: the memory request "a lot" counts as 0/,
      ),
    });
    await agent.until(() => node.swapMax(podOf(2), containerIdOf(2)) === "0");
    await agent.passes(2);
    expect(agent.events("pod-ignored")).toHaveLength(1);
  });
});
