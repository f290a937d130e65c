import { describe, expect, test } from "bun:test";
import type { Container } from "../../../src/policy/limits/container.ts";
import { carriesKubeletLimit, standDownReason } from "../../../src/policy/limits/stand-down.ts";
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
    ["LimitedSwap", false, "kubelet-configz"],
    ["NoSwap", true, undefined],
    ["", true, undefined],
    [undefined, true, "kubelet-container"],
    [undefined, false, undefined],
  ] as const)(
    "for a kubelet of swapBehavior %p, containers with its limit %p: %p",
    (behavior, seen, reason) => {
      expect(standDownReason({ swapBehavior: behavior, hasLimitedContainer: seen })).toBe(reason);
    },
  );
});

describe("a container that wasp has not written to", () => {
  // tests/fixtures/recordings/limitedswap.txt: what the kubelet's own LimitedSwap gave a request of 64Mi.
  const kubeletBytes = 17_518_592;
  // What wasp's hook gives it: 16 thousandths of the swap.
  const hookBytes = 17_178_624;

  test.each<[string, Container, number, boolean]>([
    ["carries the kubelet's exact limit", burstable(64 * MI, 512 * MI), kubeletBytes, true],
    ["carries the hook's lower one", burstable(64 * MI, 512 * MI), hookBytes, false],
    ["carries none", burstable(64 * MI, 512 * MI), 0, false],
    ["has no end to it", burstable(64 * MI, undefined), Number.POSITIVE_INFINITY, false],
    ["has a request that earns nothing", burstable(64 * MI, 64 * MI), kubeletBytes, false],
    // 500 thousandths of the memory, to the byte: the hook's limit is the kubelet's.
    [
      "has a request of which the hook knows all",
      burstable(node.memoryTotalBytes / 2, undefined),
      Math.floor(node.swapTotalBytes / 2 / PAGE) * PAGE,
      false,
    ],
  ])("%s", (_, container, effectiveBytes, expected) => {
    expect(carriesKubeletLimit(container, effectiveBytes, node, PAGE)).toBe(expected);
  });
});
