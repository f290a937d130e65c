import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { ROOT, wasp } from "../node/binary.ts";
import { answer } from "../node/fake-kubelet.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const SHARE = shareOf(REQUEST_BYTES);
const capped = podOf(2, { namespace: "team-a", annotations: { "wasp.io/swap-limit": "1Mi" } });
const guaranteed = podOf(3, { namespace: "team-a", qosClass: "Guaranteed" });

describe("one pass", () => {
  let node: AgentNode;
  beforeAll(async () => {
    node = await AgentNode.start();
    for (const pod of [podOf(1), capped, guaranteed]) node.addPod(pod);
    node.makeContainer(podOf(1), containerIdOf(99));
    node.writeSwapMaxAt(node.podPath(capped), "4096");
    node.setSwapUsage(podOf(1), containerIdOf(1), 8192);
  });
  afterAll(() => node[Symbol.dispose]());

  test("in a dry run shows what it would do, and writes nothing", async () => {
    const { exitCode, stdout } = await wasp([
      "agent",
      "--once",
      "--dry-run",
      "--log-format=Json",
      ...node.flags,
    ]);
    expect(exitCode).toBe(0);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(4);
    expect(lines).toContainEqual({
      id: containerIdOf(1),
      podUid: podOf(1).uid,
      namespace: "default",
      pod: "pod-1",
      container: "app",
      state: "planned",
      reason: "limited-swap",
      entitledBytes: Number(SHARE),
      effectiveBytes: 0,
      swapUsageBytes: 8192,
    });
    expect(node.swapMax(podOf(1), containerIdOf(1))).toBe("0");
  });

  test("is shown as a table", async () => {
    const { exitCode, stdout, stderr } = await wasp(["agent", "--once", ...node.flags]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(await Bun.file(`${ROOT}/tests/golden/agent-once.txt`).text());
  });

  test("without limits shows max", async () => {
    const flags = ["--once", "--log-format=Json", "--swap-behavior=UnlimitedSwap"];
    const { stdout } = await wasp(["agent", ...flags, ...node.flags]);
    const line = stdout.split("\n").find((each) => each.includes(containerIdOf(1))) ?? "";
    expect(JSON.parse(line)).toMatchObject({ state: "set", entitledBytes: "max", effectiveBytes: "max" });
  });

  test("without pods ends with 1, names the error, and writes nothing", async () => {
    const { answer: right } = node.kubelet;
    node.kubelet.answer = answer("500 Internal Server Error", "boom");
    node.writeSwapMax(podOf(1), containerIdOf(1), "0");
    const { exitCode, stdout, stderr } = await wasp(["agent", "--once", ...node.flags]);
    node.kubelet.answer = right;
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain("answered 500 boom");
    expect(node.swapMax(podOf(1), containerIdOf(1))).toBe("0");
  });

  test("may run beside an agent in a dry run only", async () => {
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    const dry = await wasp(["agent", "--once", "--dry-run", ...node.flags]);
    expect(dry.exitCode).toBe(0);
    expect(dry.stdout).toContain("kept");
    const wet = await wasp(["agent", "--once", ...node.flags]);
    expect(wet.exitCode).toBe(1);
    expect(wet.stderr).toContain("another wasp agent runs on this node");
  });
});
