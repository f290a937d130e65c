import { expect, test } from "bun:test";
import { classifyOciContainer } from "../../../src/policy/limits/oci-container.ts";
import { decideSwapLimit, type SwapLimitConfig } from "../../../src/policy/limits/swap-limit.ts";
import {
  kubeletLimitOf,
  leastRegularRequest,
  ociConfigOf,
  type PodSpec,
  podLevelRest,
  qosClassOf,
  type SpecContainer,
} from "../../node/kubelet-pod.ts";
import { Random } from "../../sim/random.ts";

const MI = 2 ** 20;
const GI = 2 ** 30;

const config: SwapLimitConfig = {
  swapBehavior: "LimitedSwap",
  workloads: "Burstable",
  podOverrides: "Lower",
  excludeNamespaces: [],
  systemReservedSwapBytes: 0,
};

/** Cases in which the hook may give more than the kubelet, as README and classifyOciContainer name them. */
const EXCEPTIONS = ["critical-priority", "sidecar", "pod-level-request"] as const;

function exceptionOf(pod: PodSpec, container: SpecContainer): (typeof EXCEPTIONS)[number] | undefined {
  if (!pod.isStatic && pod.priorityClass === "system-cluster-critical") return "critical-priority";
  if (podLevelRest(pod) > 0) return "pod-level-request";
  const isSmaller = container.requestBytes < leastRegularRequest(pod);
  return container.kind === "sidecar" && isSmaller ? "sidecar" : undefined;
}

function randomPod(random: Random, memoryTotalBytes: number): PodSpec {
  const size = () => Math.trunc(random.scaled(MI, memoryTotalBytes));
  const containerOf = (kind: SpecContainer["kind"]): SpecContainer => {
    const requestBytes = random.chance(0.2) ? 0 : size();
    if (random.chance(0.3)) return { kind, requestBytes, limitBytes: 0 };
    return { kind, requestBytes, limitBytes: random.chance(0.2) ? requestBytes : requestBytes + size() };
  };
  const kinds = ["regular", "init", "sidecar"] as const;
  const others = Array.from({ length: random.whole(0, 3) }, () => containerOf(random.pick(kinds)));
  const containers = [...others, containerOf("regular")];
  const sumBytes = containers.reduce((sum, { requestBytes }) => sum + requestBytes, 0);
  const requestBytes = sumBytes + (random.chance(0.3) ? 0 : size());
  const limitBytes = random.chance(0.3) ? 0 : requestBytes + size();
  return {
    containers,
    podLevel: random.chance(0.2) ? { requestBytes, limitBytes } : undefined,
    priorityClass: random.chance(0.8)
      ? "none"
      : random.pick(["system-cluster-critical", "system-node-critical"]),
    isStatic: random.chance(0.1),
    hasSource: random.chance(0.7),
  };
}

function hookLimitOf(pod: PodSpec, container: SpecContainer, node: Parameters<typeof ociConfigOf>[2]) {
  const classified = classifyOciContainer(ociConfigOf(pod, container, node), node);
  if ("leave" in classified) throw new Error(`left: ${classified.leave}`);
  return decideSwapLimit(classified.container, node, config);
}

test("the hook never gives more than the kubelet, except in the named cases", () => {
  const random = new Random(14);
  const found = new Map<string, number>(EXCEPTIONS.map((exception) => [exception, 0]));
  let granted = 0;
  for (let count = 0; count < 100_000; count += 1) {
    const node = {
      memoryTotalBytes: 1024 * Math.trunc(random.scaled(2 ** 19, 2 ** 31)),
      swapTotalBytes: 1024 * Math.trunc(random.scaled(2 ** 16, 2 ** 31)),
    };
    const pod = randomPod(random, node.memoryTotalBytes);
    const container = random.pick(pod.containers);
    const { limitBytes, reason } = hookLimitOf(pod, container, node);
    const kubeletBytes = kubeletLimitOf(pod, container, node);
    const exception = exceptionOf(pod, container);
    const shown = JSON.stringify({ node, pod, container, limitBytes, reason, kubeletBytes });
    if (limitBytes > kubeletBytes) {
      if (exception === undefined) throw new Error(`too much: ${shown}`);
      found.set(exception, (found.get(exception) ?? 0) + 1);
    } else if (exception === undefined && reason === "limited-swap") {
      granted += 1;
      // Three thousandths for those that take nearly the whole node.
      if (kubeletBytes - limitBytes > 0.003 * node.swapTotalBytes + 1)
        throw new Error(`too little: ${shown}`);
    }
  }
  // The exceptions are real, and what is promised is not promised of nothing.
  expect([...found].filter(([, times]) => times < 50)).toEqual([]);
  expect(granted).toBeGreaterThan(10_000);
});

// As a real CRI-O had them: a sidecar of 50 MiB beside one of 100 MiB, a pod-level request, a priority.
const node = { memoryTotalBytes: 4_112_945_152, swapTotalBytes: 1_073_737_728 };
const web: SpecContainer = { kind: "regular", requestBytes: 100 * MI, limitBytes: GI };
const sidecar: SpecContainer = { kind: "sidecar", requestBytes: 50 * MI, limitBytes: GI };
const plain: PodSpec = {
  containers: [web],
  podLevel: undefined,
  priorityClass: "none",
  isStatic: false,
  hasSource: true,
};
const without: SpecContainer = { kind: "regular", requestBytes: 0, limitBytes: 0 };

test.each<[string, PodSpec, SpecContainer, hookBytes: number, kubeletBytes: number]>([
  ["a small sidecar", { ...plain, containers: [sidecar, web] }, sidecar, 26_843_443, 13_687_218],
  ["a critical priority", { ...plain, priorityClass: "system-cluster-critical" }, web, 26_843_443, 0],
  [
    "a pod-level request",
    { ...plain, containers: [without], podLevel: { requestBytes: 150 * MI, limitBytes: GI } },
    without,
    40_802_033,
    0,
  ],
])("%s is an exception", (_, pod, container, hookBytes, kubeletBytes) => {
  expect(qosClassOf(pod)).toBe("Burstable");
  expect(kubeletLimitOf(pod, container, node)).toBe(kubeletBytes);
  expect(hookLimitOf(pod, container, node).limitBytes).toBe(hookBytes);
});

test("a static pod is known by its UID where its source is not handed on", () => {
  const pod: PodSpec = { ...plain, isStatic: true, hasSource: false };
  expect(hookLimitOf(pod, web, node)).toEqual({ limitBytes: 0, reason: "static" });
});
