import { describe, expect, test } from "bun:test";
import { answer, recordedConfig } from "../node/fake-kubelet.ts";
import {
  HELD,
  highOf,
  meminfoOf,
  PRESSED,
  pressedNode,
  QUIET,
  quietNode,
  setHigh,
} from "../node/reach-node.ts";
import { patience } from "../patience.ts";

const MI = 2 ** 20;

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
