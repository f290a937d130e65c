import { describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { wasp } from "../node/binary.ts";
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

// One after the other: while a test writes a large list, the fake kubelet of another one could not answer in time.
describe("a list", () => {
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

  test("with pods of any size is accepted, and one that is too large is named and stays as it was", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.addPod(podOf(2));
    const [small, large] = [1, 2].map((number) => JSON.parse(podListJson([podOf(number)])).items[0]);
    const env = (bytes: number) => [{ name: "A", value: "x".repeat(bytes) }];
    const listWith = (bytes: number, others: number) => {
      large.spec.containers[0].env = env(bytes);
      const items = [large, ...Array.from({ length: others }, (_, index) => JSON.parse(podText(index + 10)))];
      return answer("200 OK", JSON.stringify({ kind: "PodList", metadata: {}, items: [...items, small] }));
    };
    // Together more than any bound on a list that has room for all pods of a node.
    const podText = (number: number) => {
      const [item] = JSON.parse(podListJson([podOf(number)])).items;
      item.spec.containers[0].env = env(2e6);
      return JSON.stringify(item);
    };
    node.kubelet.answer = listWith(9e6, 40);
    await using agent = new RunningAgent([...node.flags, "--pod-poll-seconds=1", "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    expect(node.swapMax(podOf(2), containerIdOf(2))).toBe(SHARE);
    node.kubelet.answer = listWith(17e6, 0);
    expect(await agent.event("pod-ignored")).toMatchObject({
      error:
        "pod default/pod-2 is left out, and its known containers keep their limits: its text exceeds 16777216 bytes",
    });
    node.writeSwapMax(podOf(2), containerIdOf(2), "0");
    await agent.until(() => node.swapMax(podOf(2), containerIdOf(2)) === SHARE);
    expect(await agent.metric('wasp_containers{state="set"}')).toBe(2);
    const rss = (await agent.metric("process_resident_memory_bytes")) ?? 0;
    expect(rss).toBeWithin(1, 128 * 2 ** 20);
  });

  test("with a pod without identity is accepted without it", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.addPod(podOf(2));
    const list = JSON.parse(podListJson([pod, podOf(2), podOf(3)]));
    list.items[1].metadata.uid = "";
    node.kubelet.answer = answer("200 OK", JSON.stringify(list));
    await using agent = new RunningAgent([...node.flags, "--pod-poll-seconds=1", "--sweep-seconds=1"]);
    expect(await agent.event("pod-ignored")).toMatchObject({
      error: 'pod default/pod-2: metadata.uid: "" is not a name',
    });
    await agent.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    expect(node.swapMax(podOf(2), containerIdOf(2))).toBe("0");
    await agent.passes(2);
    expect(agent.events("pod-ignored")).toHaveLength(1);
  });
});

describe.concurrent("a value of a pod", () => {
  type Item = { spec: Record<string, unknown>; status: { containerStatuses: Record<string, unknown>[] } };
  const two = podOf(2, {
    containers: [
      { name: "odd", id: containerIdOf(2), requestBytes: REQUEST_BYTES },
      { name: "even", id: containerIdOf(3), requestBytes: REQUEST_BYTES },
    ],
  });
  const withMemory = (requests: unknown, limits: unknown) => (item: Item) => {
    const [status] = item.status.containerStatuses;
    if (status === undefined) throw new Error("no status");
    status["allocatedResources"] = { memory: requests };
    status["resources"] = { requests: { memory: requests }, limits: { memory: limits } };
  };
  const odd = (figure: string, shown: string) =>
    `pod default/pod-2: container odd: the memory ${figure} ${shown} is not a quantity of bytes, so its swap limit stays as it is`;

  test.each<[string, (item: Item) => void, [string, string, string], string[]]>([
    ["8Pi is no limit", withMemory("64Mi", "8Pi"), ["set", "limited-swap", SHARE], []],
    ["9Ei is no limit", withMemory("64Mi", "9Ei"), ["set", "limited-swap", SHARE], []],
    ["2^63-1 is no limit", withMemory("64Mi", "9223372036854775807"), ["set", "limited-swap", SHARE], []],
    ["a request of 9Ei is too much", withMemory("9Ei", "9Ei"), ["set", "request-above-capacity", "0"], []],
    ["a request of 8Ei is", withMemory("8E", null), ["set", "request-above-capacity", "0"], []],
    ["thousandths", withMemory("67108864000m", "1e99"), ["set", "limited-swap", SHARE], []],
    ["a number", withMemory(REQUEST_BYTES, null), ["set", "limited-swap", SHARE], []],
    [
      "a negative request",
      withMemory("-64Mi", "1Gi"),
      ["held", "value-unreadable", "4096"],
      [odd("request", '"-64Mi"')],
    ],
    [
      "a text",
      withMemory("64Mi", "a lot\u001b[2J"),
      ["held", "value-unreadable", "4096"],
      [odd("limit", '"a lot\\u001b[2J"')],
    ],
    ["an object", withMemory({}, null), ["held", "value-unreadable", "4096"], [odd("request", "{}")]],
  ])("costs its container alone: %s", async (_, change, [state, reason, limit], problems) => {
    using node = await AgentNode.start();
    node.addPod(two, "4096");
    const list = JSON.parse(podListJson([two]));
    change(list.items[0]);
    node.kubelet.answer = answer("200 OK", JSON.stringify(list));
    const { exitCode, stdout, stderr } = await wasp(["agent", "--once", "--log-format=Json", ...node.flags]);
    expect(exitCode).toBe(0);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const shown = (name: string) => lines.find(({ container }) => container === name);
    expect(shown("odd")).toMatchObject({ state, reason, pod: "pod-2", effectiveBytes: Number(limit) });
    expect(shown("even")).toMatchObject({ state: "set", reason: "limited-swap" });
    expect(node.swapMax(two, containerIdOf(2))).toBe(limit);
    expect(node.swapMax(two, containerIdOf(3))).toBe(SHARE);
    for (const problem of problems) expect(stderr).toContain(problem);
    if (problems.length === 0) expect(stderr).toBe("");
  });

  test("that is odd is named in the log once, and its limit is decided as soon as it is right", async () => {
    using node = await AgentNode.start();
    node.addPod(two, "4096");
    const list = JSON.parse(podListJson([two]));
    withMemory("a lot", null)(list.items[0]);
    const right = node.kubelet.answer;
    node.kubelet.answer = answer("200 OK", JSON.stringify(list));
    await using agent = new RunningAgent([...node.flags, "--pod-poll-seconds=1", "--sweep-seconds=1"]);
    expect(await agent.event("pod-ignored")).toMatchObject({ error: odd("request", '"a lot"') });
    await agent.until(() => node.swapMax(two, containerIdOf(3)) === SHARE);
    await agent.passes(2);
    expect(agent.events("pod-ignored")).toHaveLength(1);
    expect(node.swapMax(two, containerIdOf(2))).toBe("4096");
    const held = 'namespace="default",pod="pod-2",container="odd",reason="value-unreadable"';
    expect(await agent.metric(`wasp_container_swap_decision{${held}}`)).toBe(1);
    node.kubelet.answer = right;
    await agent.until(() => node.swapMax(two, containerIdOf(2)) === SHARE);
  });
});
