import { describe, expect, test } from "bun:test";
import { oomScoreAdjOf } from "../../../src/policy/limits/oom-score-adj.ts";
import {
  classifyNriContainer,
  decideNriLimits,
  type NriLimitsContainer,
  type NriLimitsPod,
} from "../../../src/policy/limits/spec-limits.ts";
import type { SwapLimitConfig } from "../../../src/policy/limits/swap-limit.ts";
import type { MemoryQosConfig } from "../../../src/policy/memory-qos/classes.ts";

const MI = 2 ** 20;
const GI = 2 ** 30;
const node = { memoryTotalBytes: 4 * GI, swapTotalBytes: 2 * GI };
const memoryQos: MemoryQosConfig = {
  classes: [{ name: "bronze", swapLimitRatio: 0.5 }],
  unifiedAnnotations: ["memory.swap.max", "memory.high"],
};
const swapConfig: SwapLimitConfig = {
  swapBehavior: "LimitedSwap",
  workloads: "Burstable",
  podOverrides: "Lower",
  excludeNamespaces: ["kube-system"],
  systemReservedSwapBytes: 0,
};
const pod: NriLimitsPod = { namespace: "shop", labels: {}, annotations: {} };
const container: NriLimitsContainer = {
  name: "app",
  cgroupsPath: "kubepods-burstable-pod8a1f.slice:cri-containerd:0a1b",
  oomScoreAdj: oomScoreAdjOf(GI, node.memoryTotalBytes),
  memoryLimitBytes: 2 * GI,
  unified: {},
};
const guaranteed = { cgroupsPath: "kubepods-pod8a1f.slice:crio:0a1b", oomScoreAdj: -997 };
const SHARE = `${GI / 2}`;

function decide(
  annotations: NriLimitsPod["annotations"],
  changes: Partial<SwapLimitConfig> = {},
  containerChanges: Partial<NriLimitsContainer> = {},
  podChanges: Partial<NriLimitsPod> = {},
) {
  return decideNriLimits(
    { ...pod, annotations, ...podChanges },
    { ...container, ...containerChanges },
    memoryQos,
    { node, config: { ...swapConfig, ...changes } },
  );
}

describe("precedence for memory.swap.max", () => {
  const file = "memory.swap.max.memory-qos.nri.io";
  const ofClass = "class.memory-qos.nri.io";
  const own = "wasp.io/swap-limit";

  test.each<[string, NriLimitsPod["annotations"], Partial<SwapLimitConfig>, string, string]>([
    ["the share", {}, {}, SHARE, "limited-swap"],
    ["none where swap is off", {}, { swapBehavior: "NoSwap" }, "0", "swap-behavior"],
    ["the class before the share", { [ofClass]: "bronze" }, {}, "max", "memory-qos-class"],
    [
      "the class where swap is off",
      { [ofClass]: "bronze" },
      { swapBehavior: "NoSwap" },
      "max",
      "memory-qos-class",
    ],
    ["wasp's own annotation before the share", { [own]: "1Mi" }, {}, `${MI}`, "pod-override"],
    [
      "wasp's own annotation before the class",
      { [own]: "1Gi", [ofClass]: "bronze" },
      {},
      `${GI}`,
      "pod-override",
    ],
    [
      "the class where pod overrides are off",
      { [own]: "1Gi", [ofClass]: "bronze" },
      { podOverrides: "Never" },
      "max",
      "memory-qos-class",
    ],
    [
      "the file's annotation before all others",
      { [file]: "3Mi", [own]: "1Mi", [ofClass]: "bronze" },
      {},
      `${3 * MI}`,
      "memory-qos-annotation",
    ],
    [
      "the file's annotation where swap is off",
      { [file]: "max" },
      { swapBehavior: "NoSwap" },
      "max",
      "memory-qos-annotation",
    ],
    ["the share where the file's annotation is invalid", { [file]: "lots" }, {}, SHARE, "limited-swap"],
    ["the share where the class is unknown", { [ofClass]: "gold" }, {}, SHARE, "limited-swap"],
  ])("%s", (_, annotations, changes, swapMax, reason) => {
    const decision = decide(annotations, changes);
    expect(decision.unified["memory.swap.max"]).toBe(swapMax);
    expect(decision.swapReason).toBe(reason as never);
  });

  test("a container with a class also has its memory.high", () => {
    expect(decide({ [ofClass]: "bronze", [own]: "0" }).unified).toEqual({
      "memory.high": `${GI}`,
      "memory.swap.max": "0",
    });
  });

  test("a Guaranteed container has swap only by its class", () => {
    expect(decide({}, {}, guaranteed)).toMatchObject({
      unified: { "memory.swap.max": "0" },
      swapReason: "guaranteed",
    });
    expect(decide({ [ofClass]: "bronze" }, {}, guaranteed).unified["memory.swap.max"]).toBe("max");
  });

  test("an excessive override is ignored and reported", () => {
    expect(decide({ [own]: "max" })).toMatchObject({
      unified: { "memory.swap.max": SHARE },
      ignoredOverride: "max: above the entitlement, and podOverrides is Lower",
    });
  });

  test("a kubelet that limits swap itself has precedence", () => {
    expect(decide({}, {}, { unified: { "memory.swap.max": "1048576" } })).toMatchObject({
      unified: {},
      swapReason: "kubelet-limited-swap",
    });
  });

  test("nothing is set where wasp sets no swap limits and the pod requests nothing", () => {
    const nothing = { unified: {}, className: undefined, swapReason: undefined, ignoredOverride: undefined };
    expect(decideNriLimits(pod, container, memoryQos, undefined)).toEqual({ ...nothing, problems: [] });
    const asking = { ...pod, annotations: { [own]: "0" } };
    expect(decideNriLimits(asking, container, memoryQos, undefined).unified).toEqual({});
  });

  test("only the class counts where wasp sets no swap limits", () => {
    const asking = { ...pod, annotations: { [ofClass]: "bronze", [own]: "0" } };
    expect(decideNriLimits(asking, container, memoryQos, undefined).unified).toEqual({
      "memory.high": `${GI}`,
      "memory.swap.max": "max",
    });
  });
});

describe("a container in NRI", () => {
  test("has its namespace and name from NRI, despite its pod's annotations", () => {
    const annotations = {
      "io.kubernetes.pod.namespace": "elsewhere",
      "io.kubernetes.container.name": "other",
      "swap-limit.wasp.io/app": "1Mi",
      "swap-limit.wasp.io/other": "2Mi",
    };
    expect(decide(annotations).unified).toEqual({ "memory.swap.max": `${MI}` });
    expect(decide(annotations, {}, {}, { namespace: "kube-system" }).swapReason).toBe("excluded-namespace");
  });

  test.each(["io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri.container-type"])(
    "is no sandbox because of its pod's annotation: %s",
    (annotation) => {
      expect(decide({ [annotation]: "sandbox" }).swapReason).toBe("limited-swap");
    },
  );

  test("is static by the kubelet's annotation", () => {
    expect(decide({ "kubernetes.io/config.source": "file" }).swapReason).toBe("static");
  });

  test.each<Partial<NriLimitsPod>>([
    { labels: { "kubevirt.io": "virt-launcher" } },
    { annotations: { "kubevirt.io/domain": "vm" } },
  ])("is a virtual machine: %j", (changes) => {
    const classified = classifyNriContainer({ ...pod, ...changes }, container, node);
    expect(classified).toMatchObject({ container: { isVirtualMachine: true } });
    expect(decide({}, { workloads: "VirtualMachines" }, {}, changes).swapReason).toBe("limited-swap");
    expect(decide({}, { workloads: "VirtualMachines" }).swapReason).toBe("not-virtual-machine");
  });

  test("is ignored outside of kubepods", () => {
    expect(decide({}, {}, { cgroupsPath: "" })).toMatchObject({ unified: {}, swapReason: "not-kubernetes" });
  });
});
