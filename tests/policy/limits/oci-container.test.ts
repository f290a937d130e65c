import { describe, expect, test } from "bun:test";
import type { NodeCapacity } from "../../../src/policy/limits/container.ts";
import { classifyOciContainer, type OciContainer } from "../../../src/policy/limits/oci-container.ts";

const MI = 2 ** 20;
const node: NodeCapacity = { memoryTotalBytes: 4_112_945_152, swapTotalBytes: 1_073_737_728 };

const burstable: OciContainer = {
  cgroupsPath: "kubepods-burstable-pod4f7bd51f_0db5_4bdd_8da8_b7fc08a1ef16.slice:crio:abc",
  oomScoreAdj: 984,
  annotations: { "io.kubernetes.pod.namespace": "shop", "io.kubernetes.container.name": "db" },
  memoryLimitBytes: 512 * MI,
  unified: { "memory.swap.max": "0" },
};

function classify(changes: Partial<OciContainer>) {
  const classified = classifyOciContainer({ ...burstable, ...changes }, node);
  return "leave" in classified ? classified.leave : classified.container;
}

describe("a container that wasp ignores", () => {
  test.each<[string, Partial<OciContainer>]>([
    ["not-kubernetes", { cgroupsPath: "machine.slice:libpod:abc" }],
    ["not-kubernetes", { cgroupsPath: undefined }],
    ["sandbox", { annotations: { "io.kubernetes.cri-o.ContainerType": "sandbox" } }],
    ["sandbox", { annotations: { "io.kubernetes.cri.container-type": "sandbox" } }],
    ["kubelet-limited-swap", { unified: { "memory.swap.max": "17519640" } }],
    // The kubelet never gives unlimited swap, nor any to a Guaranteed pod.
    ["limit-in-spec", { unified: { "memory.swap.max": "max" } }],
    ["limit-in-spec", { unified: { "memory.swap.max": "4096" }, cgroupsPath: "/kubepods/podx/abc" }],
    ["nri-limit", { unified: { "memory.swap.max": "max" }, annotations: { "wasp.io/nri-swap-max": "max" } }],
    [
      "kubelet-limited-swap",
      { unified: { "memory.swap.max": "17519640" }, annotations: { "wasp.io/nri-swap-max": "4096" } },
    ],
  ])("%s", (reason, changes) => {
    expect(classify(changes)).toBe(reason as never);
  });

  test("not because a pod calls itself limited", () => {
    const annotations = { "wasp.io/nri-swap-max": "0" };
    expect(classify({ annotations })).toMatchObject({ qosClass: "Burstable" });
  });
});

describe("an OCI config has", () => {
  const interval = { lowBytes: 65_807_123, highBytes: 69_920_067 };

  test.each<[string, Partial<OciContainer>, object]>([
    ["the request's interval", {}, { memoryRequest: interval, namespace: "shop", qosClass: "Burstable" }],
    ["no memory limit, as absent", { memoryLimitBytes: undefined }, { memoryLimitBytes: undefined }],
    ["no memory limit, as 0", { memoryLimitBytes: 0 }, { memoryLimitBytes: undefined }],
    ["no memory limit, as -1", { memoryLimitBytes: -1 }, { memoryLimitBytes: undefined }],
    [
      "the exact request, from MemoryQoS",
      { unified: { "memory.min": `${64 * MI}` } },
      { memoryRequest: { lowBytes: 64 * MI, highBytes: 64 * MI } },
    ],
    [
      "a request below that of oom_score_adj",
      { unified: { "memory.low": `${8 * MI}` } },
      { memoryRequest: { lowBytes: 8 * MI, highBytes: 8 * MI } },
    ],
    [
      "not a request above that of oom_score_adj",
      { unified: { "memory.min": `${80 * MI}` } },
      { memoryRequest: interval },
    ],
    [
      "any request, for a foreign oom_score_adj",
      { oomScoreAdj: 1 },
      { memoryRequest: { lowBytes: 0, highBytes: node.memoryTotalBytes } },
    ],
    [
      "any request, without oom_score_adj",
      { oomScoreAdj: undefined },
      { memoryRequest: { lowBytes: 0, highBytes: node.memoryTotalBytes } },
    ],
    ["a critical pod", { oomScoreAdj: -997 }, { isCritical: true }],
    [
      "a static pod, by its UID",
      { cgroupsPath: "/kubepods/burstable/pod74c1ca1ffd079a8c2b1d59f08ded8b15/abc" },
      { isStatic: true },
    ],
    ["a static pod", { annotations: { "kubernetes.io/config.source": "file" } }, { isStatic: true }],
    [
      "a pod of the API server's",
      { annotations: { "kubernetes.io/config.source": "api" } },
      { isStatic: false },
    ],
    ["a virtual machine", { annotations: { "kubevirt.io/domain": "vm" } }, { isVirtualMachine: true }],
    [
      "containerd's namespace",
      { annotations: { "io.kubernetes.cri.sandbox-namespace": "shop" } },
      { namespace: "shop" },
    ],
    [
      "an annotation of another type",
      { annotations: { "io.kubernetes.pod.namespace": 7, "wasp.io/swap-limit": {} } },
      { namespace: undefined, swapOverride: undefined },
    ],
  ])("%s", (_, changes, expected) => {
    expect(classify(changes)).toMatchObject(expected);
  });

  test("a container's own annotation has precedence over its pod's, and another container's does not count", () => {
    const name = { "io.kubernetes.container.name": "db" };
    const wish = (annotations: Record<string, string>) =>
      classify({ annotations: { ...name, ...annotations } });
    expect(wish({ "wasp.io/swap-limit": "8Mi" })).toMatchObject({ swapOverride: "8Mi" });
    expect(wish({ "wasp.io/swap-limit": "8Mi", "swap-limit.wasp.io/db": "4Mi" })).toMatchObject({
      swapOverride: "4Mi",
    });
    expect(wish({ "wasp.io/swap-limit": "8Mi", "swap-limit.wasp.io/web": "4Mi" })).toMatchObject({
      swapOverride: "8Mi",
    });
  });
});
