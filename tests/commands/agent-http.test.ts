import { describe, expect, test } from "bun:test";
import { parseExposition } from "../agent/metrics/exposition.ts";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { wasp } from "../node/binary.ts";
import { makeCertificates } from "../node/https-server.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const pod = podOf(1);
const SHARE = shareOf(REQUEST_BYTES);

describe.concurrent("the agent's endpoint", () => {
  test("shows each container, and nothing else", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.setSwapUsage(pod, containerIdOf(1), 8192);
    // A pause container has no name in a status.
    node.makeContainer(pod, containerIdOf(99));
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    const answer = await agent.get("/metrics");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
    const families = parseExposition(await answer.text());
    const labels = 'namespace="default",pod="pod-1",container="app"';
    const seriesOf = (family: string) => [...(families.get(family)?.series ?? [])];
    for (const [name, value] of [
      ["wasp_container_swap_limit_bytes", Number(SHARE)],
      ["wasp_container_swap_entitlement_bytes", Number(SHARE)],
      ["wasp_container_swap_usage_bytes", 8192],
    ] as const)
      expect(seriesOf(name)).toEqual([[`${name}{${labels}}`, value]]);
    expect(seriesOf("wasp_container_swap_decision")).toEqual([
      [`wasp_container_swap_decision{${labels},reason="limited-swap"}`, 1],
    ]);
    const states = seriesOf("wasp_containers").filter(([, count]) => count > 0);
    expect(states).toEqual([
      ['wasp_containers{state="set"}', 1],
      ['wasp_containers{state="held"}', 1],
    ]);
  });

  test("serves over TLS", async () => {
    using node = await AgentNode.start();
    const { folder } = node.kubelet;
    await makeCertificates(folder, "agent", "IP:127.0.0.1");
    const files = [`--http-certificate-file=${folder}/agent.pem`, `--http-key-file=${folder}/agent.key`];
    await using agent = new RunningAgent([...node.flags, ...files]);
    const { port } = await agent.event("http-listening", ({ tls }) => tls === true);
    const ca = await Bun.file(`${folder}/ca.pem`).text();
    const answer = await fetch(`https://127.0.0.1:${port}/healthz`, { tls: { ca } });
    expect(await answer.text()).toBe("ok\n");
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });

  test("on a port in use ends at its start, and names the flag", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    const { port } = node.kubelet;
    const { exitCode, stderr } = await wasp(["agent", ...node.flags, `--http-port=${port}`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`--http-port: ${port} is in use on 127.0.0.1`);
    expect(node.swapMax(pod, containerIdOf(1))).toBe("0");
  });
});
