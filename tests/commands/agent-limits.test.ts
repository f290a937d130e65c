import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { wasp } from "../node/binary.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { type ContainerSpec, type PodSpec, podOf, REQUEST_BYTES } from "../node/pods.ts";

const MI = 2 ** 20;

/** A pod with one container, created with a limit that no test expects. */
function podWith(number: number, container: Partial<ContainerSpec>, changes: Partial<PodSpec> = {}): PodSpec {
  const regular = { name: "app", id: containerIdOf(number), requestBytes: REQUEST_BYTES };
  return podOf(number, { containers: [{ ...regular, ...container }], ...changes });
}

const SHARE = shareOf(REQUEST_BYTES);
const lower = { "wasp.io/swap-limit": "1Mi" };
const higher = { "wasp.io/swap-limit": "512Mi" };
const own = { ...higher, "swap-limit.wasp.io/app": "2Mi" };

const pods: Record<string, PodSpec> = {
  burstable: podOf(1),
  init: podWith(2, { kind: "init" }),
  sidecar: podWith(3, { kind: "sidecar" }),
  ephemeral: podWith(4, { kind: "ephemeral", requestBytes: 0 }),
  guaranteed: podWith(5, { limitBytes: REQUEST_BYTES }, { qosClass: "Guaranteed" }),
  "best effort": podOf(6, {
    containers: [{ name: "app", id: containerIdOf(6) }],
    qosClass: "BestEffort",
  }),
  critical: podOf(7, { priority: 2_000_001_000 }),
  static: podOf(8, { annotations: { "kubernetes.io/config.source": "file" } }),
  "without a request": podWith(9, { requestBytes: 0 }),
  "with a limit": podWith(10, { limitBytes: 512 * MI }),
  "with a limit that is its request": podWith(11, { limitBytes: REQUEST_BYTES }),
  "in another namespace": podOf(12, { namespace: "team-a" }),
  "a virtual machine": podOf(13, { labels: { "kubevirt.io": "virt-launcher" } }),
  "asking for less": podOf(14, { annotations: lower }),
  "asking for more": podOf(15, { annotations: higher }),
  "asking for a container's own": podOf(16, { annotations: own }),
  "asking for nonsense": podOf(17, { annotations: { "wasp.io/swap-limit": "lots" } }),
};

const never = new Set(["ephemeral", "guaranteed", "best effort", "critical", "static"]);
const noSwap = new Set([...never, "without a request", "with a limit that is its request"]);

/** Limit of each pod by default, and the exceptions of a case. */
function limits(grant: string, exceptions: Record<string, string> = {}): Record<string, string> {
  const names = Object.keys(pods);
  return {
    ...Object.fromEntries(names.map((name) => [name, noSwap.has(name) ? "0" : grant])),
    ...exceptions,
  };
}

const asked = {
  "asking for less": String(MI),
  "asking for more": String(512 * MI),
  "asking for a container's own": String(2 * MI),
};
const lowered = { ...asked, "asking for more": SHARE };
// The formula's result with 512 MiB of the node's swap reserved.
const kept = { memoryKibibytes: 4_016_548, swapKibibytes: 1_048_572 - 512 * 1024 };
const everything = Object.fromEntries(Object.keys(pods).map((name) => [name, "0"]));

describe("each container's limit", () => {
  let node: AgentNode;
  beforeAll(async () => {
    node = await AgentNode.start();
    for (const pod of Object.values(pods)) node.addPod(pod);
    node.makeContainer(podOf(1), containerIdOf(99), "7340032");
  });
  afterAll(() => node[Symbol.dispose]());

  test.each<[string, string[], Record<string, string>]>([
    ["by default", [], limits(SHARE, lowered)],
    ["without swap", ["--swap-behavior=NoSwap"], everything],
    ["without a limit", ["--swap-behavior=UnlimitedSwap"], limits("max", asked)],
    [
      "for virtual machines alone",
      ["--workloads=VirtualMachines"],
      { ...everything, "a virtual machine": SHARE },
    ],
    [
      "but for a namespace",
      ["--exclude-namespace=team-*"],
      limits(SHARE, { ...lowered, "in another namespace": "0" }),
    ],
    ["with pod overrides off", ["--pod-overrides=Never"], limits(SHARE)],
    ["with any pod override", ["--pod-overrides=Any"], limits(SHARE, asked)],
    [
      "with some swap kept for the system",
      ["--system-reserved-swap=512Mi"],
      limits(shareOf(REQUEST_BYTES, kept), { ...asked, "asking for more": shareOf(REQUEST_BYTES, kept) }),
    ],
    ["with all swap kept for the system", ["--system-reserved-swap=8Gi"], limits("0")],
  ])("%s", async (_, flags, expected) => {
    // Neither the entitlement of any container, nor no limit.
    for (const pod of Object.values(pods)) node.writeSwapMax(pod, pod.containers[0]?.id ?? "", "7340032");
    const { exitCode, stderr } = await wasp(["agent", "--once", ...node.flags, ...flags]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const found = Object.entries(pods).map(([name, pod]) => [
      name,
      node.swapMax(pod, pod.containers[0]?.id ?? ""),
    ]);
    expect(Object.fromEntries(found)).toEqual(expected);
    // A pause container is in no pod's status.
    expect(node.swapMax(podOf(1), containerIdOf(99))).toBe("7340032");
  });
});
