import { describe, expect, test } from "bun:test";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { ROOT, wasp } from "../node/binary.ts";
import { ConfigMap } from "../node/config-map.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const pod = podOf(1);
const ID = containerIdOf(1);
const SHARE = shareOf(REQUEST_BYTES);

describe.concurrent("a ConfigMap", () => {
  test("changes limits while the agent runs", async () => {
    using config = new ConfigMap({ swapBehavior: "NoSwap" });
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, `--config=${config.path}`]);
    await agent.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe("0");
    config.publish({ swapBehavior: "LimitedSwap" });
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
    config.publish({ excludeNamespaces: ["default"] });
    await agent.until(() => node.swapMax(pod, ID) === "0");
    expect(agent.events("config-reloaded")).toEqual([
      expect.objectContaining({ changed: "swapBehavior" }),
      expect.objectContaining({ changed: "excludeNamespaces" }),
    ]);
    expect(agent.events("config-overridden")).toEqual([]);
    expect(agent.events("swap-limit-restored")).toEqual([]);
  });

  test("that is invalid is refused, and the previous one stays in force", async () => {
    using config = new ConfigMap({ systemReservedSwap: "1Gi" });
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, `--config=${config.path}`]);
    await agent.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe("0");
    config.publish({ swapBehaviour: "UnlimitedSwap" });
    expect(await agent.event("config-refused")).toMatchObject({
      level: "error",
      error: expect.stringMatching(/unknown field "swapBehaviour": did you mean swapBehavior\?/),
    });
    config.publish({ podOverrides: "All" });
    await agent.event("config-refused", ({ error }) =>
      /podOverrides: "All" is not one of Never, Lower, Any/.test(String(error)),
    );
    expect(node.swapMax(pod, ID)).toBe("0");
    expect(await agent.metric('wasp_config_reloads_total{outcome="refused"}')).toBe(2);
    config.publish({});
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
  });

  test("with a change that needs a restart says so", async () => {
    using config = new ConfigMap({});
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, `--config=${config.path}`]);
    await agent.event("agent-ready");
    config.publish({ nodeName: "worker-1", swapBehavior: "NoSwap" });
    expect(await agent.event("config-needs-restart")).toMatchObject({ level: "warning", knobs: "nodeName" });
    await agent.until(() => node.swapMax(pod, ID) === "0");
  });

  test("that changes what a flag holds says so, with both values", async () => {
    using config = new ConfigMap({ swapBehavior: "LimitedSwap" });
    using node = await AgentNode.start();
    node.addPod(pod);
    const flags = [`--config=${config.path}`, "--swap-behavior=LimitedSwap"];
    await using agent = new RunningAgent([...node.flags, ...flags]);
    await agent.event("agent-ready");
    config.publish({ swapBehavior: "NoSwap", sweepSeconds: 1 });
    expect(await agent.event("config-overridden")).toMatchObject({
      level: "warning",
      field: "swapBehavior",
      fileValue: "NoSwap",
      value: "LimitedSwap",
      source: "flag --swap-behavior",
    });
    expect(await agent.event("config-reloaded")).toMatchObject({ changed: "sweepSeconds" });
    expect(node.swapMax(pod, ID)).toBe(SHARE);
  });

  test("may begin a dry run, and end it", async () => {
    using config = new ConfigMap({ dryRun: true, nodeSwapLimit: "64Mi" });
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, `--config=${config.path}`]);
    await agent.event("agent-ready");
    expect(await agent.event("swap-limit-planned")).toMatchObject({
      limitBytes: Number(SHARE),
      effectiveBytes: 0,
    });
    expect(node.swapMax(pod, ID)).toBe("0");
    expect(node.swapMaxAt(node.kubepods)).toBe("max");
    config.publish({ nodeSwapLimit: "64Mi" });
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
    expect(node.swapMaxAt(node.kubepods)).toBe(String(64 * 2 ** 20));
  });
});

describe.concurrent("a start", () => {
  test("prints the configuration and the source of each knob", async () => {
    using config = new ConfigMap({});
    const file = config.path;
    const golden = await Bun.file(`${ROOT}/tests/golden/print-config.txt`).text();
    // The golden text covers the file's own settings; this covers those of flags and environment.
    const { exitCode, stdout } = await wasp(
      ["agent", "--print-config", "--config", file, "--swap-behavior=noswap"],
      "ignore",
      { NODE_NAME: "worker-1", FSROOT: "/host" },
    );
    expect(exitCode).toBe(0);
    const ofFile =
      /^(excludeNamespaces|systemReservedSwap|nodeSwapLimit|kubeletCaFile|# nodeSwapLimit|# kubeletCaFile):/;
    const others = (text: string) => text.split("\n").filter((line) => !ofFile.test(line));
    const squeezed = (text: string) => others(text).map((line) => line.replace(/ +/g, " "));
    expect(squeezed(stdout)).toEqual(squeezed(golden));
  });

  test.each<[string, string[], Record<string, string>, RegExp]>([
    ["flag", ["--swap-behaviour=NoSwap"], {}, /--swap-behaviour/],
    ["flag's value", ["--http-port=70000"], {}, /--http-port: "70000" is not a whole number from 0 to 65535/],
    ["variable", [], { NODE_NAME: "No Such Name" }, /NODE_NAME: "No Such Name" is not a node name/],
    ["file", ["--config=/nonexistent.yaml"], {}, /--config: cannot read \/nonexistent\.yaml/],
    ["pair of settings", ["--pod-source=ApiServer"], {}, /podSource \(flag --pod-source\).*--node-name/],
  ])("with a wrong %s ends with 2 and names it", async (_, flags, env, message) => {
    const { exitCode, stdout, stderr } = await wasp(["agent", ...flags], "ignore", env);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  test("with an invalid field ends with 2, and names the field and its place", async () => {
    using config = new ConfigMap({ podPollSeconds: 0 });
    const { exitCode, stderr } = await wasp(["agent", `--config=${config.path}`]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/config\.yaml:1: podPollSeconds: 0 is not a whole number from 1 to 3600/);
  });

  test("without anything to verify the kubelet with ends with 1, and says what to set", async () => {
    using node = await AgentNode.start();
    const { exitCode, stderr } = await wasp(["agent", `--fsroot=${node.node.root}`, "--http-port=0"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/--kubelet-ca-file or --kubelet-serving-certificate-file/);
  });
});
