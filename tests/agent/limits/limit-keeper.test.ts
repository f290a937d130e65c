import { afterEach, beforeEach, expect, test } from "bun:test";
import { LimitKeeper } from "../../../src/agent/limits/limit-keeper.ts";
import { findKubepods, scanContainers } from "../../../src/host/kubepods.ts";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import { indexPods } from "../../../src/policy/limits/reconcile.ts";
import { AgentNode } from "../../node/agent-node.ts";
import { containerIdOf, podUidOf } from "../../node/kubepods-tree.ts";

const MI = 2 ** 20;
const WANTED = String(64 * MI);
const [PAUSE, FIRST, SECOND] = [containerIdOf(1), containerIdOf(2), containerIdOf(3)];

const context = {
  node: { memoryTotalBytes: 1024 * MI, swapTotalBytes: 1024 * MI },
  pageBytes: 4096,
  config: {
    swapBehavior: "LimitedSwap",
    workloads: "Burstable",
    podOverrides: "Never",
    excludeNamespaces: [],
    systemReservedSwapBytes: 0,
    maxRestoresPerMinute: 10,
  },
  isLeftToKubelet: false,
  isKubeletLimiting: false,
  mayWrite: true,
} as const;

let node: AgentNode;
let keeper: LimitKeeper;
beforeEach(async () => {
  node = await AgentNode.start();
  keeper = new LimitKeeper(
    { log: () => {}, onExact: () => {}, onStart: () => {}, onKubeletLimit: () => {} },
    () => 0,
  );
});
afterEach(() => node[Symbol.dispose]());

/** A pod whose status names these containers. */
function podOf(number: number, ...ids: string[]): Pod {
  const containers = ids.map((id) => ({
    name: id.slice(-1),
    id,
    memoryRequestBytes: 64 * MI,
    memoryLimitBytes: undefined,
  }));
  const names = { uid: podUidOf(number), namespace: "default", name: `pod-${number}` };
  return {
    ...names,
    annotations: {},
    labels: {},
    qosClass: "Burstable",
    priority: 0,
    phase: "Running",
    isTerminating: false,
    ownerKind: undefined,
    containers,
  };
}

const specOf = ({ uid, name, containers }: Pod) => ({ uid, name, containers });

function appear(pod: Pod, id: string): void {
  node.makeContainer(specOf(pod), id);
  const [kubepods] = findKubepods(node.node.root);
  const container = kubepods && scanContainers(kubepods).find(({ containerId }) => containerId === id);
  if (container !== undefined) keeper.add(container, true);
}

test("a container that a status leaves out is taken for the pause container if the status names a later one", () => {
  keeper.apply({ ...context, pods: new Map() });
  const [before, after] = [podOf(1, FIRST), podOf(1, FIRST, SECOND)];
  for (const [appearing, listed, isWaiting] of [
    [PAUSE, podOf(1), true],
    [FIRST, podOf(1), true],
    [undefined, before, false],
    [SECOND, before, true],
    [undefined, after, false],
  ] as const) {
    if (appearing !== undefined) appear(after, appearing);
    keeper.applyPods(indexPods([listed]));
    expect(keeper.hasUnknownSince(60)).toBe(isWaiting);
  }
});

test("a new list of pods has the containers of changed pods checked, and no others", () => {
  const [same, other] = [podOf(1, FIRST), podOf(2, SECOND)];
  appear(same, FIRST);
  appear(other, SECOND);
  keeper.apply({ ...context, pods: indexPods([same, other]) });
  for (const [pod, id] of [
    [same, FIRST],
    [other, SECOND],
  ] as const) {
    expect(node.swapMax(specOf(pod), id)).toBe(WANTED);
    node.writeSwapMax(specOf(pod), id, "0");
  }
  keeper.applyPods(indexPods([structuredClone(same), { ...other, name: "renamed" }]));
  expect(node.swapMax(specOf(same), FIRST)).toBe("0");
  expect(node.swapMax(specOf(other), SECOND)).toBe(WANTED);
  keeper.checkAll();
  expect(node.swapMax(specOf(same), FIRST)).toBe(WANTED);
});
