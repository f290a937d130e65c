import { describe, expect, test } from "bun:test";
import type { Pod, PodContainer } from "../../../src/policy/kubernetes/pod.ts";
import type { NodeCapacity } from "../../../src/policy/limits/container.ts";
import { containerOfPod } from "../../../src/policy/limits/container-of-pod.ts";
import { decideSwapLimit } from "../../../src/policy/limits/swap-limit.ts";
import { DB_POD } from "../db-pod.ts";

const MI = 2 ** 20;
const node: NodeCapacity = { memoryTotalBytes: 4_112_945_152, swapTotalBytes: 1_073_737_728 };

const db: PodContainer = { name: "db", id: "abc", memoryRequestBytes: 64 * MI, memoryLimitBytes: 512 * MI };

function limitOf(changes: Partial<Pod>, container: Partial<PodContainer> = {}) {
  const known = containerOfPod({ ...DB_POD, ...changes }, { ...db, ...container });
  if (known === undefined) return undefined;
  return decideSwapLimit(known, node, {
    swapBehavior: "LimitedSwap",
    workloads: "Burstable",
    podOverrides: "Lower",
    excludeNamespaces: ["kube-system"],
    systemReservedSwapBytes: 0,
  });
}

describe("a container of the kubelet's pod list", () => {
  // Limit of the kubelet itself: tests/fixtures/recordings/limitedswap.txt.
  const share = { limitBytes: 17_519_640, reason: "limited-swap" };

  test.each<[string, Partial<Pod>, Partial<PodContainer>, object | undefined]>([
    ["gets its exact share", {}, {}, share],
    ["gets it without a memory limit", {}, { memoryLimitBytes: undefined }, share],
    [
      "gets it below two thousandths of the node, where the hook cannot see it",
      {},
      { memoryRequestBytes: MI },
      { limitBytes: 273_744, reason: "limited-swap" },
    ],
    [
      "gets none without request and limit, as an ephemeral container",
      {},
      { memoryRequestBytes: 0, memoryLimitBytes: undefined },
      { limitBytes: 0, reason: "no-memory-request" },
    ],
    [
      "gets none for a request that equals the limit",
      {},
      { memoryLimitBytes: 64 * MI },
      { limitBytes: 0, reason: "request-equals-limit" },
    ],
    ["gets it with a limit a byte above the request", {}, { memoryLimitBytes: 64 * MI + 1 }, share],
    [
      "gets none when cluster-critical, which the hook cannot see",
      { priority: 2_000_000_000 },
      {},
      { limitBytes: 0, reason: "critical" },
    ],
    ["gets it with the highest priority below that", { priority: 1_999_999_999 }, {}, share],
    ["gets it without a priority", { priority: undefined }, {}, share],
    [
      "gets none when static",
      { annotations: { "kubernetes.io/config.source": "http" } },
      {},
      { limitBytes: 0, reason: "static" },
    ],
    [
      "gets none when the mirror of a static pod",
      { annotations: { "kubernetes.io/config.mirror": "" } },
      {},
      { limitBytes: 0, reason: "critical" },
    ],
    ["gets it from the API server, which sets no source", { annotations: {} }, {}, share],
    ["is undecided while its QoS class is unknown", { qosClass: undefined }, {}, undefined],
  ])("%s", (_, changes, container, expected) => {
    expect(limitOf(changes, container)).toEqual(expected as never);
  });

  test("may request less, for the whole pod or for itself", () => {
    const annotations = { "wasp.io/swap-limit": "8Mi", "swap-limit.wasp.io/web": "0" };
    expect(limitOf({ annotations })).toEqual({ limitBytes: 8 * MI, reason: "pod-override" });
    expect(limitOf({ annotations }, { name: "web" })).toEqual({ limitBytes: 0, reason: "pod-override" });
  });

  test("is a virtual machine by its label", () => {
    const known = containerOfPod({ ...DB_POD, labels: { "kubevirt.io": "virt-launcher" } }, db);
    expect(known?.isVirtualMachine).toBe(true);
    expect(
      containerOfPod({ ...DB_POD, labels: { "kubevirt.io": "hotplug-disk" } }, db)?.isVirtualMachine,
    ).toBe(false);
  });
});
