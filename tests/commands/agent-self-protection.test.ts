import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { NODE, PressedNode } from "../node/pressed-node.ts";
import { RunningAgent } from "../node/running-agent.ts";

const MI = 2 ** 20;

/** A quiet node with the agent's pod and another one; `minOfKubepods` is memory.min of kubepods before. */
async function startNode(minOfKubepods = "0") {
  const pressed = await PressedNode.start();
  pressed.relieve();
  const { node } = pressed.node;
  const own = pressed.addPod(1, 60);
  pressed.addPod(2, 20);
  const [{ id = "" } = {}] = own.containers;
  const scope = pressed.node.directoryOf(own, id).slice(node.root.length);
  const levels: string[] = [];
  for (let level = scope; level !== "/sys/fs/cgroup"; level = level.slice(0, level.lastIndexOf("/")))
    levels.push(level);
  for (const level of levels)
    node.write(`${level}/memory.min`, level === levels.at(-1) ? minOfKubepods : "0");
  node.write(`${scope}/memory.max`, String(128 * MI));
  const values = () => levels.map((level) => readFileSync(`${node.root}${level}/memory.min`, "utf8").trim());
  const start = (...flags: readonly string[]) => {
    const command = [...pressed.flags, `--node-name=${NODE}`, ...flags];
    const agent = new RunningAgent(command, { POD_UID: own.uid });
    node.write(`${scope}/cgroup.procs`, `0\n${agent.pid}\n`);
    return agent;
  };
  return { pressed, values, start, levels };
}

describe.concurrent("the agent's own memory", () => {
  test("is protected while pods may be evicted, half of its limit at most, until it ends", async () => {
    const { pressed, values, start, levels } = await startNode();
    using _ = pressed;
    await using agent = start();
    expect(await agent.event("agent-memory-protected")).toMatchObject({ bytes: 64 * MI });
    expect(levels.length).toBeGreaterThanOrEqual(3);
    expect(new Set(values())).toEqual(new Set([String(64 * MI)]));
    expect(await agent.stop()).toBe(0);
    expect(new Set(values())).toEqual(new Set(["0"]));
  });

  test("is no longer protected once pods are not evicted", async () => {
    const { pressed, values, start } = await startNode();
    using _ = pressed;
    await using agent = start();
    await agent.event("agent-memory-protected");
    pressed.configure({ evictionMode: "DryRun" });
    await agent.until(() => values().every((value) => value === "0"), "no protection");
  });

  test.each(["DryRun", "Off"])("is not protected after a killed agent in mode %s", async (mode) => {
    const { pressed, values, start } = await startNode();
    using _ = pressed;
    await using killed = start();
    await killed.event("agent-memory-protected");
    await killed.stop("SIGKILL");
    expect(new Set(values())).toEqual(new Set([String(64 * MI)]));
    await using agent = start(`--eviction-mode=${mode}`);
    await agent.until(() => values().every((value) => value === "0"), "no protection");
  });

  test("is not protected against another program's value, which the log names", async () => {
    const { pressed, values, start } = await startNode("4096");
    using _ = pressed;
    await using agent = start();
    expect(await agent.event("agent-memory-unprotected")).toMatchObject({
      error: expect.stringMatching(/kubepods\.slice\/memory\.min is set by another program$/),
    });
    expect(await agent.stop()).toBe(0);
    expect(values().filter((value) => value !== "0")).toEqual(["4096"]);
  });
});
