import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { answer, recordedConfig } from "../node/fake-kubelet.ts";
import { PressedNode } from "../node/pressed-node.ts";
import { patience } from "../patience.ts";

const KUBEPODS = "/sys/fs/cgroup/kubepods.slice";
const MI = 2 ** 20;
// 2898 MiB less the recorded kubelet's threshold of 100 MiB, less 3 %.
const HELD = Math.floor(2898 - 100 - 0.03 * 2898) * MI;

/** Memory of the pods and of the node: 469 MiB are used outside of pods. */
const QUIET = { podsMebibytes: 1500, availableKibibytes: 2_000_000 };
const PRESSED = { podsMebibytes: 2700, availableKibibytes: 2_000_000 - 1200 * 1024 };

const meminfoOf = ({ availableKibibytes }: typeof QUIET, swapFreeKibibytes = 1_048_572) =>
  [
    "MemTotal:        4016548 kB",
    `MemFree:         ${availableKibibytes - 500_000} kB`,
    `MemAvailable:    ${availableKibibytes} kB`,
    "Inactive(file):   400000 kB",
    "SwapTotal:       1048572 kB",
    `SwapFree:        ${swapFreeKibibytes} kB`,
    "",
  ].join("\n");

/** A quiet node whose pods may have 2898 MiB. */
async function quietNode(knobs: Readonly<Record<string, unknown>> = {}): Promise<PressedNode> {
  const pressed = await pressedNode(knobs);
  pressed.relieve();
  use(pressed, QUIET);
  return pressed;
}

/** The same node under pressure. */
async function pressedNode(knobs: Readonly<Record<string, unknown>> = {}): Promise<PressedNode> {
  const pressed = await PressedNode.start(knobs);
  pressed.node.node.write(`${KUBEPODS}/memory.max`, `${2898 * MI}\n`);
  use(pressed, PRESSED);
  const pod = pressed.addPod(1, 600);
  const [{ id = "" } = {}] = pod.containers;
  const stat = `${pressed.node.directoryOf(pod, id)}/memory.stat`;
  writeFileSync(stat, `${readFileSync(stat, "utf8").replace("anon 0", `anon ${500 * MI}`)}\n`);
  return pressed;
}

function use({ node: { node } }: PressedNode, memory: typeof QUIET): void {
  node.write("/proc/meminfo", meminfoOf(memory));
  node.write(`${KUBEPODS}/memory.current`, `${memory.podsMebibytes * MI}\n`);
}

function highOf(pressed: PressedNode): string {
  return readFileSync(`${pressed.node.node.root}${KUBEPODS}/memory.high`, "utf8").trim();
}

function setHigh(pressed: PressedNode, text: string): void {
  pressed.node.node.write(`${KUBEPODS}/memory.high`, `${text}\n`);
}

describe.concurrent("swap is within reach", () => {
  test("while pods may be evicted, and released when the agent ends", async () => {
    using pressed = await quietNode();
    await using agent = pressed.agent();
    await agent.event("swap-reach-held");
    await agent.until(() => highOf(pressed) === String(HELD), "memory.high below the kubelet's threshold");
    expect(await agent.metric("wasp_kubepods_memory_high_bytes")).toBe(HELD);
    expect(await agent.metric('wasp_swap_reach_info{reason="held"}')).toBe(1);
    expect(await agent.stop()).toBe(0);
    expect(highOf(pressed)).toBe("max");
  });

  test("again after another process has changed it", async () => {
    using pressed = await quietNode();
    await using agent = pressed.agent();
    await agent.until(() => highOf(pressed) === String(HELD), "memory.high below the kubelet's threshold");
    setHigh(pressed, "max");
    await agent.event("swap-reach-restored");
    expect(highOf(pressed)).toBe(String(HELD));
    expect(await agent.metric("wasp_swap_reach_restores_total")).toBe(1);
  });

  test.each([
    ["mode DryRun", { evictionMode: "DryRun" }],
    ["mode Off", { evictionMode: "Off" }],
    ["a dry run", { dryRun: true }],
    ["swapReach Off", { swapReach: "Off" }],
  ])("no more once the configuration says %s", async (_, knobs) => {
    using pressed = await quietNode();
    await using agent = pressed.agent();
    await agent.until(() => highOf(pressed) === String(HELD), "memory.high below the kubelet's threshold");
    pressed.configure({ evictionMode: "Enforce", ...knobs });
    await agent.until(() => highOf(pressed) === "max", "memory.high let go");
  });

  test("by the agent after a killed one, without a gap", async () => {
    using pressed = await quietNode();
    await using killed = pressed.agent();
    await killed.until(() => highOf(pressed) === String(HELD), "memory.high below the kubelet's threshold");
    await killed.stop("SIGKILL");
    expect(highOf(pressed)).toBe(String(HELD));
    await using agent = pressed.agent();
    await agent.event("swap-reach-held");
    expect(highOf(pressed)).toBe(String(HELD));
    expect(agent.events("swap-reach-restored")).toEqual([]);
  });

  test.each(["Off", "DryRun"])(
    "no more after a killed agent when the next one's mode is %s",
    async (mode) => {
      using pressed = await quietNode();
      await using killed = pressed.agent();
      await killed.until(() => highOf(pressed) === String(HELD), "memory.high below the kubelet's threshold");
      await killed.stop("SIGKILL");
      await using agent = pressed.agent(mode);
      await agent.until(() => highOf(pressed) === "max", "memory.high let go");
    },
  );

  test.each(["Enforce", "Off"])(
    "only if it is wasp's own: a foreign memory.high stays in mode %s",
    async (mode) => {
      using pressed = await quietNode();
      setHigh(pressed, String(2000 * MI));
      await using agent = pressed.agent(mode);
      await agent.event("agent-ready");
      if (mode === "Enforce") {
        expect(await agent.event("swap-reach-left")).toMatchObject({
          level: "warning",
          error: expect.stringMatching(/kubepods.slice\/memory.high is 2097152000, which wasp has not set/),
        });
      }
      expect(await agent.stop()).toBe(0);
      expect(highOf(pressed)).toBe(String(2000 * MI));
    },
  );

  test("by the kubelet's own thresholds as they change", async () => {
    using pressed = await quietNode();
    const kubelet = JSON.parse(recordedConfig());
    kubelet.kubeletconfig.evictionHard["memory.available"] = "20%";
    pressed.node.kubelet.answers.set("/configz", answer("200 OK", JSON.stringify(kubelet)));
    await using agent = pressed.agent();
    const held = Math.floor(2898 * 0.8 - 0.03 * 2898) * MI;
    await agent.until(() => highOf(pressed) === String(held), "memory.high below 80 %");
  });

  test("released if the kubelet does not report its thresholds", async () => {
    using pressed = await quietNode();
    pressed.node.kubelet.answers.set(
      "/configz",
      answer("200 OK", '{"kubeletconfig":{"evictionHard":{"memory.available":"x"}}}'),
    );
    await using agent = pressed.agent();
    expect(await agent.event("swap-reach-released")).toMatchObject({ reason: "kubelet-unknown" });
    expect(highOf(pressed)).toBe("max");
  });

  test("while a victim is awaited, although swap is full by then", async () => {
    using pressed = await pressedNode();
    pressed.server.objects.onTermination = (name) => pressed.terminate(name);
    await using agent = pressed.agent();
    await agent.event("victim-awaited");
    await agent.until(() => highOf(pressed) === String(HELD), "memory.high below the kubelet's threshold");
    pressed.node.node.write("/proc/meminfo", meminfoOf(PRESSED, 10_000));
    const used = async () => (await agent.metric('wasp_signal_ratio{signal="swapUtilization"}')) ?? 0;
    while ((await used()) < 0.98) await Bun.sleep(50);
    // A release would take its first step within a second.
    await Bun.sleep(patience(3));
    expect(highOf(pressed)).toBe(String(HELD));
    expect(agent.events("swap-reach-released")).toEqual([]);
  });

  test("released when swap is full", async () => {
    using pressed = await quietNode();
    await using agent = pressed.agent();
    await agent.until(() => highOf(pressed) === String(HELD), "memory.high below the kubelet's threshold");
    pressed.node.node.write("/proc/meminfo", meminfoOf(QUIET, 0));
    expect(await agent.event("swap-reach-released")).toMatchObject({ reason: "swap-nearly-full" });
    await agent.until(() => highOf(pressed) === "max", "memory.high let go");
  });
});
