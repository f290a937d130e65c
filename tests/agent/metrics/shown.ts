import type { AgentView, ContainerView } from "../../../src/agent/metrics/view.ts";
import type { NodeFigures } from "../../../src/host/node-figures.ts";

/** A node that swaps a little. */
export const NODE: NodeFigures = {
  memoryTotalBytes: 4_112_945_152,
  swapTotalBytes: 1_073_737_728,
  swapFreeBytes: 1_000_000_000,
  swapInBytes: 40_960,
  swapOutBytes: 81_920,
  memoryPressure: {
    some: { avg10Percent: 1.5, avg60Percent: 0.5, avg300Percent: 0.25, totalMicroseconds: 2_500_000 },
    full: { avg10Percent: 1, avg60Percent: 0.25, avg300Percent: 0, totalMicroseconds: 1_250_000 },
  },
  kubepodsMemoryPressure: undefined,
};

/** A container with its exact limit, except for these differences. */
export function shownContainer(differences: Partial<ContainerView> = {}): ContainerView {
  return {
    id: "0f",
    podUid: "4f7bd51f-0db5-4bdd-8da8-000000000001",
    namespace: "shop",
    pod: "cart-0",
    container: "cart",
    state: "kept",
    reason: "limited-swap",
    entitledBytes: 4096,
    effectiveBytes: 4096,
    swapUsageBytes: 0,
    ...differences,
  };
}

/** An agent that is ready and has no container, except for these differences; it may be changed at any time. */
export function shownAgent(differences: Partial<AgentView> = {}): {
  -readonly [Name in keyof AgentView]: AgentView[Name];
} {
  const healthy = {
    blindness: undefined,
    isReady: true,
    isAlive: true,
    isStoodDown: false,
    isNriConnected: false,
  };
  const unsensed = {
    ...{ signals: () => undefined, thresholds: () => ({}) },
    ...{ holdReason: () => undefined, reach: () => undefined },
  };
  return { containers: () => [], node: () => NODE, ...unsensed, ...healthy, ...differences };
}
