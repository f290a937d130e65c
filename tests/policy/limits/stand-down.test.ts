import { describe, expect, test } from "bun:test";
import type { Container } from "../../../src/policy/limits/container.ts";
import {
  carriesKubeletLimit,
  isKubeletLimiting,
  kubeletLimitBelow,
  standDownReason,
} from "../../../src/policy/limits/stand-down.ts";
import { RECORDED_NODE } from "../../node/fake-node.ts";

const PAGE = 4096;
const MI = 2 ** 20;
const node = {
  memoryTotalBytes: RECORDED_NODE.memoryKibibytes * 1024,
  swapTotalBytes: RECORDED_NODE.swapKibibytes * 1024,
};

function burstable(requestBytes: number, limitBytes: number | undefined): Container {
  return {
    namespace: "default",
    qosClass: "Burstable",
    isStatic: false,
    isCritical: false,
    isVirtualMachine: false,
    memoryRequest: { lowBytes: requestBytes, highBytes: requestBytes },
    memoryLimitBytes: limitBytes,
    swapOverride: undefined,
  };
}

describe("wasp stands down", () => {
  test.each([
    ["Auto", "LimitedSwap", false, "kubelet-configz"],
    ["Auto", "NoSwap", true, undefined],
    ["Auto", "", true, undefined],
    ["Auto", undefined, true, "kubelet-container"],
    ["Auto", undefined, false, undefined],
    ["Kubelet", undefined, false, "configured"],
    ["Kubelet", "LimitedSwap", true, "configured"],
    ["Kubelet", "NoSwap", false, "configured"],
  ] as const)(
    "with swapLimits %s for a kubelet of swapBehavior %p, containers with its limit %p: %p",
    (swapLimits, swapBehavior, hasLimitedContainer, reason) => {
      expect(standDownReason({ swapLimits, swapBehavior, hasLimitedContainer })).toBe(reason);
    },
  );
});

test.each([
  ["Auto", "LimitedSwap", false, true],
  ["Auto", undefined, true, true],
  ["Kubelet", "LimitedSwap", false, true],
  // The kubelet grants nothing, or nobody knows: not a reason to take anything back.
  ["Kubelet", "NoSwap", true, false],
  ["Kubelet", undefined, false, false],
] as const)(
  "swapLimits %s, swapBehavior %p, containers with the kubelet's limit %p: it is known to limit swap: %p",
  (swapLimits, swapBehavior, hasLimitedContainer, expected) => {
    expect(isKubeletLimiting({ swapLimits, swapBehavior, hasLimitedContainer })).toBe(expected);
  },
);

describe("beyond the kubelet's own limit", () => {
  const web = burstable(64 * MI, 512 * MI);
  const share = 17_519_640;
  const none = (reason: string) => ({ limitBytes: 0, reason });

  test.each<[string, Partial<Container>, number, object | undefined]>([
    ["is any swap of a critical pod", { isCritical: true }, PAGE, none("critical")],
    ["of a static one", { isStatic: true }, PAGE, none("static")],
    ["of a Guaranteed one", { qosClass: "Guaranteed" }, Number.POSITIVE_INFINITY, none("guaranteed")],
    [
      "of a container without a request, as in a pod with a request of its own",
      { memoryRequest: { lowBytes: 0, highBytes: 0 }, memoryLimitBytes: undefined },
      38_653_952,
      none("no-memory-request"),
    ],
    ["of one whose request is its limit", { memoryLimitBytes: 64 * MI }, share, none("request-equals-limit")],
    ["is no limit at all", {}, Number.POSITIVE_INFINITY, { limitBytes: share, reason: "limited-swap" }],
    ["is neither its share", {}, share, undefined],
    ["nor another number: the kubelet may have seen more swap", {}, 2 * share, undefined],
    ["nor swap that wasp excludes, and the kubelet does not", { namespace: "kube-system" }, share, undefined],
    ["nor nothing", { isCritical: true }, 0, undefined],
  ])("%s", (_, changes, effectiveBytes, expected) => {
    expect(kubeletLimitBelow({ ...web, ...changes }, effectiveBytes, node)).toEqual(expected as never);
  });

  test("is unknown on a node without swap now", () => {
    const swapless = { ...node, swapTotalBytes: 0 };
    expect(kubeletLimitBelow(web, Number.POSITIVE_INFINITY, swapless)).toBeUndefined();
  });
});

describe("a container before wasp's first write", () => {
  // Limit of the kubelet's own LimitedSwap for a request of 64Mi: tests/fixtures/recordings/limitedswap.txt.
  const kubeletBytes = 17_518_592;
  // Limit of wasp's hook for it: 16 thousandths of the swap.
  const hookBytes = 17_178_624;

  test.each<[string, Container, number, boolean]>([
    ["has the kubelet's exact limit", burstable(64 * MI, 512 * MI), kubeletBytes, true],
    ["has the hook's lower limit", burstable(64 * MI, 512 * MI), hookBytes, false],
    ["has no swap", burstable(64 * MI, 512 * MI), 0, false],
    ["is unlimited", burstable(64 * MI, undefined), Number.POSITIVE_INFINITY, false],
    ["has a request without entitlement", burstable(64 * MI, 64 * MI), kubeletBytes, false],
    // Exactly 500 thousandths of the memory: the hook's limit equals the kubelet's.
    [
      "has a request that the hook sees exactly",
      burstable(node.memoryTotalBytes / 2, undefined),
      Math.floor(node.swapTotalBytes / 2 / PAGE) * PAGE,
      false,
    ],
  ])("%s", (_, container, effectiveBytes, expected) => {
    expect(carriesKubeletLimit(container, effectiveBytes, node, PAGE)).toBe(expected);
  });
});
