import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { oomScoreAdjOf } from "../../../src/policy/limits/oom-score-adj.ts";
import {
  classifyNriContainer,
  decideNriLimits,
  isReadAnnotation,
  type NriLimitsContainer,
  type NriLimitsPod,
} from "../../../src/policy/limits/spec-limits.ts";
import type { SwapLimitConfig } from "../../../src/policy/limits/swap-limit.ts";
import type { MemoryQosConfig } from "../../../src/policy/memory-qos/classes.ts";

const MI = 2 ** 20;
const GI = 2 ** 30;
const node = { memoryTotalBytes: 4 * GI, swapTotalBytes: 2 * GI };
const memoryQos: MemoryQosConfig = {
  classes: [{ name: "bronze", swapLimitRatio: 0.5, maxSwapBytes: Number.POSITIVE_INFINITY }],
  unifiedAnnotations: ["memory.swap.max", "memory.high"],
  maxBytes: { "memory.swap.max": Number.POSITIVE_INFINITY },
};
/** Without an administrator's word on swap. */
const unbounded: MemoryQosConfig = {
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

  test("a container with a class also has its memory.high, as far as it can swap the rest", () => {
    const high = (swap: string) => decide({ [ofClass]: "bronze", [own]: swap }).unified["memory.high"];
    expect(high("max")).toBe(`${GI}`);
    expect(high("1Gi")).toBe(`${GI}`);
    expect(high("512Mi")).toBe(`${1.5 * GI}`);
    // Not at all without swap: it would stall there for ever.
    expect(high("0")).toBeUndefined();
    const direct = decide({ [ofClass]: "bronze", [own]: "0", "memory.high.memory-qos.nri.io": "1Mi" });
    expect(direct.unified["memory.high"]).toBe(`${MI}`);
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

describe("without a max, annotations for memory QoS", () => {
  const file = { "memory.swap.max.memory-qos.nri.io": "1Gi" };
  const lower = { "memory.swap.max.memory-qos.nri.io": "1Mi" };
  const bronze = { "class.memory-qos.nri.io": "bronze" };
  const kubeSystem = { namespace: "kube-system" };

  function decideWith(
    config: MemoryQosConfig,
    annotations: NriLimitsPod["annotations"],
    changes: Partial<SwapLimitConfig> = {},
    podChanges: Partial<NriLimitsPod> = {},
    nodeSwapLimitBytes?: number,
  ) {
    const sharing = { node, config: { ...swapConfig, ...changes } };
    return decideNriLimits(
      { ...pod, annotations, ...podChanges },
      container,
      config,
      sharing,
      nodeSwapLimitBytes,
    );
  }

  test.each<
    [string, NriLimitsPod["annotations"], Partial<SwapLimitConfig>, Partial<NriLimitsPod>, string, string]
  >([
    ["may lower", lower, {}, {}, `${MI}`, "memory-qos-annotation"],
    ["may not raise", file, {}, {}, SHARE, "limited-swap"],
    ["may raise with Any", file, { podOverrides: "Any" }, {}, `${GI}`, "memory-qos-annotation"],
    ["change nothing with Never", lower, { podOverrides: "Never" }, {}, SHARE, "limited-swap"],
    [
      "give no swap with NoSwap",
      file,
      { swapBehavior: "NoSwap", podOverrides: "Any" },
      {},
      "0",
      "swap-behavior",
    ],
    ["nor in an excluded namespace", file, { podOverrides: "Any" }, kubeSystem, "0", "excluded-namespace"],
    ["give a class's container its share", bronze, {}, {}, SHARE, "limited-swap"],
    ["or as much as it wants with Any", bronze, { podOverrides: "Any" }, {}, "max", "memory-qos-class"],
    ["or nothing with NoSwap", bronze, { swapBehavior: "NoSwap" }, {}, "0", "swap-behavior"],
    ["or in an excluded namespace", bronze, {}, kubeSystem, "0", "excluded-namespace"],
  ])("%s", (_, annotations, changes, podChanges, swapMax, reason) => {
    const { unified, swapReason } = decideWith(unbounded, annotations, changes, podChanges);
    expect({ swapMax: unified["memory.swap.max"], swapReason }).toEqual({
      swapMax,
      swapReason: reason as never,
    });
    // memory.high leaves no more to swap than the container may.
    const swapBytes = swapMax === "max" ? Number.POSITIVE_INFINITY : Number(swapMax);
    const highBytes = Number(unified["memory.high"] ?? 2 * GI);
    expect(2 * GI - highBytes).toBeLessThanOrEqual(swapBytes);
  });

  test("leave the limit, and fit memory.high to it, where the kubelet shares out the swap", () => {
    const decideLeft = (config: MemoryQosConfig, swapMax: string, podChanges: Partial<NriLimitsPod> = {}) =>
      decideNriLimits(
        { ...pod, annotations: bronze, ...podChanges },
        { ...container, unified: { "memory.swap.max": swapMax } },
        config,
        { node: undefined, config: swapConfig },
      );
    expect(decideLeft(unbounded, `${GI / 2}`).unified).toEqual({ "memory.high": `${1.5 * GI}` });
    expect(decideLeft(unbounded, "0").unified).toEqual({});
    expect(decideLeft(memoryQos, "0").unified).toEqual({ "memory.high": `${GI}`, "memory.swap.max": "max" });
    expect(decideLeft(memoryQos, "0", kubeSystem).unified).toEqual({});
  });

  test("say why they have no effect", () => {
    expect(decideWith(unbounded, bronze).ignoredOverride).toBe(
      "class bronze: podOverrides is Lower, and the node's memoryQos has no max for it",
    );
    expect(decideWith(unbounded, file).ignoredOverride).toBe(
      "memory.swap.max.memory-qos.nri.io: podOverrides is Lower, and the node's memoryQos has no max for it",
    );
  });

  test("with one, reach it whatever podOverrides and swapBehavior are, but not in an excluded namespace", () => {
    const bounded: MemoryQosConfig = {
      classes: [{ name: "bronze", swapLimitRatio: 0.5, maxSwapBytes: 3 * GI }],
      unifiedAnnotations: ["memory.swap.max"],
      maxBytes: { "memory.swap.max": 2 * GI },
    };
    const off = { swapBehavior: "NoSwap", podOverrides: "Never" } as const;
    expect(decideWith(bounded, bronze, off).unified["memory.swap.max"]).toBe(`${3 * GI}`);
    expect(decideWith(bounded, file, off).unified["memory.swap.max"]).toBe(`${GI}`);
    expect(decideWith(bounded, bronze, off, kubeSystem).unified).toEqual({ "memory.swap.max": "0" });
    const excessive = { "memory.swap.max.memory-qos.nri.io": "3Gi" };
    expect(decideWith(bounded, excessive).problems).toMatchObject([
      {
        reason: "above-max",
        message:
          'memory.swap.max.memory-qos.nri.io: "3Gi" is more than a pod may set on this node (max: 2Gi)',
      },
    ]);
    // The limit of all pods together is that of each, too.
    expect(decideWith(bounded, bronze, {}, {}, GI / 4).unified).toEqual({
      "memory.high": `${1.75 * GI}`,
      "memory.swap.max": `${GI / 4}`,
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

test("annotations that are not read change nothing", () => {
  const names = [
    "class.memory-qos.nri.io",
    "memory.swap.max.memory-qos.nri.io/app",
    "memory.high.memory-qos.nri.io",
    "wasp.io/swap-limit",
    "swap-limit.wasp.io/app",
    "kubernetes.io/config.source",
    "kubernetes.io/config.mirror",
    "kubevirt.io/domain",
    "io.kubernetes.cri-o.ContainerType",
    "io.kubernetes.container.name",
  ];
  const values = fc.constantFrom("bronze", "1Mi", "max", "file", "api", "sandbox", "x");
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), values), (annotations) => {
      const read = Object.fromEntries(Object.entries(annotations).filter(([name]) => isReadAnnotation(name)));
      for (const workloads of ["Burstable", "VirtualMachines"] as const)
        expect(decide(read, { workloads })).toEqual(decide(annotations, { workloads }));
    }),
    { numRuns: 2000 },
  );
});
