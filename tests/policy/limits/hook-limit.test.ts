import { expect, test } from "bun:test";
import type { Container } from "../../../src/policy/limits/container.ts";
import { hookLimitOf, mayBeFromHook } from "../../../src/policy/limits/hook-limit.ts";
import type { SwapLimitConfig } from "../../../src/policy/limits/swap-limit.ts";
import { RECORDED_NODE } from "../../node/fake-node.ts";

const MI = 2 ** 20;
const node = {
  memoryTotalBytes: RECORDED_NODE.memoryKibibytes * 1024,
  swapTotalBytes: RECORDED_NODE.swapKibibytes * 1024,
};

const config: SwapLimitConfig = {
  swapBehavior: "LimitedSwap",
  workloads: "Burstable",
  podOverrides: "Lower",
  excludeNamespaces: [],
  systemReservedSwapBytes: 0,
};

const web: Container = {
  namespace: "default",
  qosClass: "Burstable",
  isStatic: false,
  isCritical: false,
  isVirtualMachine: false,
  memoryRequest: { lowBytes: 64 * MI, highBytes: 64 * MI },
  memoryLimitBytes: undefined,
  swapOverride: undefined,
};

test.each<[string, Partial<Container>, Partial<SwapLimitConfig>, number]>([
  // tests/fixtures/recordings: 16 thousandths of the swap, in whole pages.
  ["a limit below the kubelet's", {}, {}, 17_178_624],
  [
    "none for a request that is too small for oom_score_adj",
    { memoryRequest: { lowBytes: 4 * MI, highBytes: 4 * MI } },
    {},
    0,
  ],
  ["none for a critical pod", { isCritical: true }, {}, 0],
  ["the limit that the pod requests", { swapOverride: "1Mi" }, {}, MI],
  ["no limit", {}, { swapBehavior: "UnlimitedSwap" }, Number.POSITIVE_INFINITY],
])("the hook sets %s", (_, container, knobs, expected) => {
  expect(hookLimitOf({ ...web, ...container }, node, { ...config, ...knobs }, 4096)).toBe(expected);
});

test.each<[number, number, boolean | undefined]>([
  [17_178_624, 17_178_624, true],
  // With other flags of the hook than the agent's.
  [8_589_312, 17_178_624, true],
  [0, 17_178_624, false],
  [Number.POSITIVE_INFINITY, 17_178_624, false],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, true],
  [0, 0, undefined],
])("a limit of %p where the hook sets %p may be the hook's: %p", (effectiveBytes, hookBytes, expected) => {
  expect(mayBeFromHook(effectiveBytes, hookBytes)).toBe(expected);
});
