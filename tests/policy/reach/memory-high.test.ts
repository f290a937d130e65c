import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type {
  ContainerSample,
  KubepodsSample,
  NodeSample,
  Snapshot,
} from "../../../src/policy/eviction/snapshot.ts";
import type { KubeletThresholds } from "../../../src/policy/reach/kubelet-thresholds.ts";
import {
  decideMemoryHigh,
  NO_REACH,
  needsContainers,
  type ReachConfig,
} from "../../../src/policy/reach/memory-high.ts";
import { GI, MI, podOf, sampleOf, snapshotAt } from "../eviction/snapshots.ts";

const HUNDRED_MEBIBYTES: KubeletThresholds = {
  hard: { bytes: 100 * MI },
  soft: undefined,
  enforcesPods: true,
};
const config: ReachConfig = {
  swapReach: "Auto",
  evictionMode: "Enforce",
  kubelet: HUNDRED_MEBIBYTES,
  isEvicting: false,
};

/** Snapshot of a node with 3922 MiB of memory and 1 GiB of swap: 2898 MiB for kubepods, and 400 MiB used outside. */
function nodeAt(atSeconds: number, differences: Differences = {}): Snapshot {
  const quiet = snapshotAt(atSeconds, { swapFreeBytes: GI }, [podOf("a")], differences.containers);
  const node = {
    ...quiet.node,
    memoryTotalBytes: 3922 * MI,
    memoryFreeBytes: 3022 * MI,
    ...differences.node,
  };
  const kubepods = { ...kubepodsOf(500), ...differences.kubepods };
  return { ...quiet, node, kubepods };
}

interface Differences {
  readonly node?: Partial<NodeSample>;
  readonly kubepods?: Partial<KubepodsSample>;
  readonly containers?: readonly ContainerSample[];
}

function kubepodsOf(memoryMebibytes: number): KubepodsSample {
  return {
    ...sampleOf("kubepods"),
    memoryBytes: memoryMebibytes * MI,
    memoryMaxBytes: 2898 * MI,
    memoryHighBytes: Number.POSITIVE_INFINITY,
    memoryPressure: pressureOf(0),
  };
}

function pressureOf(avg10Percent: number) {
  const stall = { avg10Percent, avg60Percent: 0, avg300Percent: 0, totalMicroseconds: 0 };
  return { some: stall, full: stall };
}

/** Seconds with these values and knobs. */
type Phase = readonly [count: number, differences: Differences, knobs?: Partial<ReachConfig>];

/** Simulation of a node on which the decisions are carried out. */
class Run {
  readonly highs: number[] = [];
  reason = "";
  #state = NO_REACH;
  #now = 0;

  seconds(count: number, differences: Differences = {}, knobs: Partial<ReachConfig> = {}): this {
    for (let second = 0; second < count; second++) {
      this.#now += 1;
      const { decision, state } = decideMemoryHigh(this.#state, nodeAt(this.#now, differences), {
        ...config,
        ...knobs,
      });
      this.#state = state;
      this.highs.push(decision.memoryHighBytes);
      this.reason = decision.reason;
    }
    return this;
  }

  get mebibytes(): number {
    return (this.highs.at(-1) ?? 0) / MI;
  }

  get wantsContainers(): boolean {
    return needsContainers(this.#state, this.#now + 5);
  }
}

describe("memory.high of kubepods", () => {
  test("is below the kubelet's threshold by a margin, and is reached in steps", () => {
    const run = new Run().seconds(20);
    // 2898, less 100, less 3 %.
    expect(run.mebibytes).toBe(Math.floor(2898 - 100 - 0.03 * 2898));
    expect(run.reason).toBe("held");
    const distinct = [...new Set(run.highs)];
    expect(distinct.length).toBeGreaterThanOrEqual(8);
    expect(distinct).toEqual(distinct.toSorted((a, b) => b - a));
  });

  const ofNode = { node: { memoryFreeBytes: 0 }, kubepods: { memoryBytes: 1000 * MI } };
  const ceilings: [
    name: string,
    differences: Differences,
    kubelet: Partial<KubeletThresholds>,
    least: number,
  ][] = [
    ["a fraction of kubepods' limit", {}, { hard: { fraction: 0.1 } }, 2898 * 0.9 - 0.03 * 2898],
    [
      "the soft threshold applies to the node alone",
      {},
      { soft: { bytes: 500 * MI } },
      2898 - 100 - 0.03 * 2898,
    ],
    ["usage outside of pods is not available to pods", ofNode, {}, 1000 - 100 - 64],
    [
      "the soft threshold of a node with usage outside of pods",
      ofNode,
      { soft: { bytes: 300 * MI } },
      1000 - 300 - 64,
    ],
    [
      "pods without a limit have the rest of the node",
      { kubepods: { memoryMaxBytes: Number.POSITIVE_INFINITY } },
      {},
      3522 - 100 - 0.03 * 3522,
    ],
    ["a kubelet that does not enforce the pods' limit", {}, { enforcesPods: false }, 2898 - 0.03 * 2898],
    [
      "page cache outside of pods can be reclaimed",
      { ...ofNode, node: { memoryFreeBytes: 0, inactiveFileBytes: 2000 * MI } },
      {},
      2898 - 100 - 0.03 * 2898,
    ],
  ];
  test.each(ceilings)("%s", (_, differences, kubelet, mebibytes) => {
    const run = new Run().seconds(20, differences, { kubelet: { ...HUNDRED_MEBIBYTES, ...kubelet } });
    expect(run.reason).toBe("held");
    expect(Math.abs(run.mebibytes - mebibytes)).toBeLessThan(10);
  });

  const full = { node: { swapFreeBytes: 0.01 * GI } };
  const cannotSwap = [sampleOf("a", { swapBytes: 0, swapLimitBytes: 0, swappableBytes: GI })];
  const others: [reason: string, differences: Differences, knobs: Partial<ReachConfig>][] = [
    ["reach-off", {}, { swapReach: "Off" }],
    ["mode-off", {}, { evictionMode: "Off" }],
    ["dry-run", {}, { evictionMode: "DryRun" }],
    ["no-swap", { node: { swapTotalBytes: 0, swapFreeBytes: 0 } }, {}],
    ["kubelet-unknown", {}, { kubelet: undefined }],
    ["no-threshold", {}, { kubelet: { ...HUNDRED_MEBIBYTES, hard: undefined } }],
    ["no-pressure-figures", { kubepods: { memoryPressure: undefined } }, {}],
    ["no-room", { node: { memoryFreeBytes: undefined } }, {}],
    ["no-room", {}, { kubelet: { ...HUNDRED_MEBIBYTES, hard: { fraction: 0.99 } } }],
    ["swap-nearly-full", full, {}],
    ["nothing-to-swap", { containers: cannotSwap }, {}],
  ];
  test.each(others)("is released for %s", (reason, differences, knobs) => {
    const run = new Run().seconds(20).seconds(10, differences, knobs);
    expect(run.reason).toBe(reason);
    expect(run.mebibytes).toBe(Number.POSITIVE_INFINITY);
  });

  test("is held again once nothing says any more that there is nothing to swap", () => {
    const run = new Run().seconds(20);
    const held = run.mebibytes;
    const near = kubepodsOf(2600);
    expect(run.seconds(10, { containers: cannotSwap, kubepods: near }).mebibytes).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(run.seconds(10, { containers: [], kubepods: near }).mebibytes).toBe(Number.POSITIVE_INFINITY);
    expect(run.seconds(20, { containers: [] }).mebibytes).toBe(held);
    expect(run.reason).toBe("held");
  });

  test("is released without pods", () => {
    const { decision } = decideMemoryHigh(NO_REACH, { ...nodeAt(1), kubepods: undefined }, config);
    expect(decision).toEqual({ memoryHighBytes: Number.POSITIVE_INFINITY, reason: "no-kubepods" });
  });

  test("is released in proportion as swap fills, and set again as swap empties", () => {
    const at = (used: number) => ({ node: { swapFreeBytes: (1 - used) * GI } });
    const run = new Run().seconds(20);
    const held = run.mebibytes;
    expect(run.seconds(10, at(0.89)).mebibytes).toBe(held);
    const partly = run.seconds(10, at(0.93)).mebibytes;
    expect(partly).toBeGreaterThan(held);
    expect(partly).toBeLessThan(2898);
    expect(run.seconds(10, at(0.96)).mebibytes).toBeGreaterThan(partly);
    expect(run.seconds(10, at(0.99)).mebibytes).toBe(Number.POSITIVE_INFINITY);
    expect(run.seconds(20, at(0.5)).mebibytes).toBe(held);
  });

  test("is set again once swap has room, or stalls have ended, without oscillation", () => {
    const at = (used: number, stalledPercent: number) => ({
      node: { swapFreeBytes: (1 - used) * GI },
      kubepods: { memoryPressure: pressureOf(stalledPercent) },
    });
    const run = new Run().seconds(20);
    const held = run.mebibytes;
    const partly = run.seconds(10, at(0.94, 40)).mebibytes;
    expect(partly).toBeGreaterThan(held);
    for (const used of [0.85, 0.93, 0.81]) expect(run.seconds(10, at(used, 40)).mebibytes).toBe(partly);
    expect(run.seconds(10, at(0.79, 40)).mebibytes).toBe(held);
    expect(run.seconds(10, at(0.94, 40)).mebibytes).toBe(partly);
    expect(run.seconds(60, at(0.85, 0)).mebibytes).toBe(partly);
    expect(run.seconds(10, at(0.85, 0)).mebibytes).toBe(held);
  });

  test("is released after two minutes of stalls, and set again a minute after their end", () => {
    const stalled = { kubepods: { memoryPressure: pressureOf(40) } };
    const run = new Run().seconds(20);
    const held = run.mebibytes;
    expect(run.seconds(120, stalled).mebibytes).toBe(held);
    expect(run.seconds(9, stalled).mebibytes).toBe(Number.POSITIVE_INFINITY);
    expect(run.reason).toBe("not-relieved");
    expect(run.seconds(60).mebibytes).toBe(Number.POSITIVE_INFINITY);
    expect(run.seconds(20).mebibytes).toBe(held);
  });

  test("is kept during short stalls", () => {
    const run = new Run().seconds(20);
    for (let minute = 0; minute < 5; minute++)
      run.seconds(50, { kubepods: { memoryPressure: pressureOf(40) } }).seconds(10);
    expect(run.reason).toBe("held");
  });

  const atItsLimit = [
    sampleOf("hog", { swapBytes: 370 * MI, swapLimitBytes: 370 * MI, swappableBytes: GI }),
    sampleOf("neighbour", { swapBytes: 0, swapLimitBytes: 100 * MI, swappableBytes: 20 * MI }),
  ];
  const usedAt = (used: number, stalledPercent: number, containers: readonly ContainerSample[] = []) => ({
    node: { swapFreeBytes: (1 - used) * GI },
    kubepods: { memoryPressure: pressureOf(stalledPercent) },
    containers,
  });
  const ofHog = usedAt(0.36, 40, atItsLimit);
  const evicting = { isEvicting: true };
  const phases: [name: string, phases: Phase[], reason: string][] = [
    ["swap that a hog's own limit ends is not the node's", [[50, ofHog]], "held"],
    ["pods that have no swap left wait for a minute", [[75, ofHog]], "not-relieved"],
    ["pods that have swap left wait for two minutes", [[75, usedAt(0.36, 40)]], "held"],
    [
      "an eviction is awaited",
      [
        [50, ofHog],
        [85, ofHog, evicting],
      ],
      "held",
    ],
    [
      "an eviction is not awaited for ever",
      [
        [50, ofHog],
        [105, ofHog, evicting],
      ],
      "not-relieved",
    ],
    [
      "relief shows only after an eviction",
      [
        [50, ofHog],
        [20, ofHog, evicting],
        [25, ofHog],
      ],
      "held",
    ],
    [
      "an eviction that relieved nothing",
      [
        [50, ofHog],
        [20, ofHog, evicting],
        [45, ofHog],
      ],
      "not-relieved",
    ],
    [
      "a request that is repeated after a failure",
      [
        [58, ofHog],
        [1, ofHog, evicting],
        [5, ofHog],
        [1, ofHog, evicting],
      ],
      "held",
    ],
    [
      "requests that fail again and again are one eviction",
      [
        [50, ofHog],
        ...Array.from({ length: 20 }, (): Phase[] => [
          [1, ofHog, evicting],
          [5, ofHog],
        ]).flat(),
      ],
      "not-relieved",
    ],
    [
      "swap that fills while an eviction is awaited",
      [
        [5, usedAt(0.6, 40)],
        [60, usedAt(0.99, 40), evicting],
      ],
      "held",
    ],
    [
      "full swap at the end of that",
      [
        [5, usedAt(0.6, 40)],
        [105, usedAt(0.99, 40), evicting],
      ],
      "swap-nearly-full",
    ],
    [
      "full swap before an eviction",
      [
        [20, usedAt(0.99, 40)],
        [20, usedAt(0.99, 40), evicting],
      ],
      "swap-nearly-full",
    ],
  ];
  test.each(phases)("keeps or lets go: %s", (_, seconds, reason) => {
    const run = new Run().seconds(20);
    const held = run.mebibytes;
    for (const [count, differences, knobs] of seconds) run.seconds(count, differences, knobs);
    expect(run.reason).toBe(reason);
    expect(run.mebibytes).toBe(reason === "held" ? held : Number.POSITIVE_INFINITY);
  });

  test("follows a change of kubepods' limit", () => {
    const run = new Run().seconds(20);
    expect(run.seconds(20, { kubepods: { memoryMaxBytes: 2000 * MI } }).mebibytes).toBe(2000 - 100 - 64);
    expect(run.seconds(2).mebibytes).toBe(Math.floor(2898 - 100 - 0.03 * 2898));
  });

  test("has containers sampled only while the pods' usage is near it", () => {
    expect(new Run().seconds(20).wantsContainers).toBe(false);
    expect(new Run().seconds(20, { kubepods: kubepodsOf(2600) }).wantsContainers).toBe(true);
    const nearBefore = new Run().seconds(20, { kubepods: kubepodsOf(2600) });
    expect(nearBefore.seconds(1, { kubepods: kubepodsOf(2300) }).wantsContainers).toBe(true);
    expect(nearBefore.seconds(1, { kubepods: kubepodsOf(2000) }).wantsContainers).toBe(false);
    expect(nearBefore.seconds(1, { kubepods: kubepodsOf(2300) }).wantsContainers).toBe(false);
    const cached = { ...kubepodsOf(2600), inactiveFileBytes: GI };
    expect(new Run().seconds(20, { kubepods: cached }).wantsContainers).toBe(false);
  });
});

const bytes = fc.integer({ min: 0, max: 8 * GI });
const figure = fc.option(
  fc.oneof(
    bytes.map((few) => ({ bytes: few })),
    fc.double({ min: 0, max: 1, noNaN: true }).map((fraction) => ({ fraction })),
  ),
  { nil: undefined },
);
const moment = fc.record({
  node: fc.record({
    memoryFreeBytes: bytes,
    inactiveFileBytes: bytes,
    swapTotalBytes: bytes,
    swapFreeBytes: bytes,
  }),
  kubepods: fc.record({
    memoryBytes: bytes,
    memoryMaxBytes: fc.oneof(bytes, fc.constant(Number.POSITIVE_INFINITY)),
    memoryPressure: fc.integer({ min: 0, max: 100 }).map(pressureOf),
  }),
  containers: fc.array(
    fc
      .record({ swapBytes: bytes, swapLimitBytes: bytes, swappableBytes: bytes })
      .map((differences) => sampleOf("a", differences)),
    { maxLength: 2 },
  ),
});
const kubelet = fc.record({ hard: figure, soft: figure, enforcesPods: fc.boolean() });

describe("on any node", () => {
  test("memory.high is a positive number of whole mebibytes, or unlimited", () => {
    fc.assert(
      fc.property(fc.array(moment), kubelet, (moments, thresholds) => {
        const run = new Run();
        for (const differences of moments) run.seconds(1, differences, { kubelet: thresholds });
        for (const high of run.highs)
          expect(high === Number.POSITIVE_INFINITY || (high > 0 && high % MI === 0)).toBe(true);
      }),
    );
  });

  test("pods that reach memory.high are no reason for the kubelet to evict", () => {
    fc.assert(
      fc.property(moment, kubelet, (differences, thresholds) => {
        const run = new Run().seconds(20, differences, { kubelet: thresholds });
        const high = run.highs.at(-1) ?? 0;
        if (run.reason !== "held") return;
        const { hard, enforcesPods } = thresholds;
        const limit = differences.kubepods.memoryMaxBytes;
        const least = hard === undefined ? 0 : "bytes" in hard ? hard.bytes : hard.fraction * limit;
        if (enforcesPods && Number.isFinite(limit)) expect(limit - high).toBeGreaterThan(least);
      }),
    );
  });

  test("memory.high is released within ten seconds of full swap", () => {
    fc.assert(
      fc.property(moment, kubelet, (differences, thresholds) => {
        const run = new Run().seconds(20, differences, { kubelet: thresholds });
        run.seconds(
          10,
          { ...differences, node: { ...differences.node, swapFreeBytes: 0 } },
          { kubelet: thresholds },
        );
        expect(run.highs.at(-1)).toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });
});
