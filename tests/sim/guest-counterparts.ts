/**
 * Simulated counterparts of the scenarios that were recorded in the guest (tests/vm/trace-scenarios.ts): the same pods on a
 * node with the guest's memory, swap and limits. Growth begins with a pod, so that a hog that idles first is a pod that
 * starts later.
 */
import { HIGH_MIB, MAX_MIB } from "../vm/trace-scenarios.ts";
import type { Region } from "./memory.ts";
import { SimulatedNode } from "./node.ts";
import type { PodPlan } from "./pod.ts";
import { Random } from "./random.ts";
import { PAGE_BYTES } from "./samples.ts";

/** Simulated counterpart of a recorded scenario. */
interface Counterpart {
  /** Pods in addition to the neighbours. */
  readonly pods: readonly PodPlan[];
  readonly seconds: number;
  readonly swapMib?: number;
  /** Limit of each pod's swap. */
  readonly swapPages?: number;
  /** Pods that end, as a workload that shrinks. */
  readonly ends?: { readonly name: string; readonly atSeconds: number };
}

const MIB = 2 ** 20 / PAGE_BYTES;
// Of the emulated disk in most recordings, in and out together.
const DEVICE = { pagesPerSecond: 18_000, latencySeconds: 1e-4 };
const LITTLE_SWAP_MIB = 256;
// Programs that do the work of a pod, and their libraries.
const PROGRAM_MIB = 10;
// Of the emulated processor, in the language of the loads.
const TOUCHED_PAGES_PER_SECOND = 100_000;
const PAUSE_SECONDS = 0.5;

const NEIGHBOURS = [1, 2, 3].map((number) =>
  podOf({ name: `neighbour-${number}`, regions: [heap(50, usesOf(50, PAUSE_SECONDS))], duty: 0.1 }),
);

const COUNTERPARTS: Readonly<Record<string, Counterpart>> = {
  idle: { pods: [podOf({ name: "hog", regions: [heap(100, 0)] })], seconds: 40 },
  "thrash-by-one": {
    pods: [growing({ from: 200, to: 800, perSecond: 150, uses: usesOf(800) })],
    seconds: 55,
  },
  "cold-memory-swapped-out": {
    pods: [
      podOf({ name: "cold", regions: [heap(400, 0)] }),
      growing({ from: 80, to: 300, perSecond: 60, uses: usesOf(300, PAUSE_SECONDS) }),
    ],
    seconds: 50,
  },
  "swap-exhausted": {
    pods: [growing({ from: 200, to: 1500, perSecond: 300, uses: 0 })],
    ...{ seconds: 50, swapMib: LITTLE_SWAP_MIB },
  },
  "page-cache-thrash": {
    pods: [
      podOf({
        name: "hog",
        startsAtSeconds: 8,
        regions: [
          heap(250, 0),
          { kind: "file", usesPerSecond: 0.3, residentPages: 50 * MIB, awayPages: 974 * MIB },
        ],
      }),
    ],
    ...{ seconds: 45, swapPages: 0 },
  },
  "burst-after-idling": {
    pods: [
      podOf({
        name: "hog",
        regions: [heap(50, usesOf(350, PAUSE_SECONDS), 300)],
        changes: [
          { atSeconds: 0, usesFactor: 0 },
          { atSeconds: 10, usesFactor: 1 },
        ],
      }),
    ],
    seconds: 45,
  },
  "short-spike": {
    pods: [
      podOf({ name: "hog", regions: [heap(300, usesOf(300, PAUSE_SECONDS))] }),
      growing({ name: "spike", from: 10, to: 400, perSecond: 300, uses: usesOf(700), at: 10 }),
    ],
    ...{ seconds: 45, ends: { name: "spike", atSeconds: 16 } },
  },
  "swap-full-but-quiet": {
    pods: [
      podOf({ name: "cold", regions: [heap(400 - LITTLE_SWAP_MIB, 0, LITTLE_SWAP_MIB)] }),
      podOf({ name: "hog", regions: [heap(150, usesOf(150, PAUSE_SECONDS))] }),
    ],
    ...{ seconds: 40, swapMib: LITTLE_SWAP_MIB },
  },
  "thrash-by-two": {
    pods: ["hog", "other-hog"].map((name) =>
      growing({ name, from: 100, to: 400, perSecond: 100, uses: usesOf(400) }),
    ),
    seconds: 50,
  },
  "slow-leak": {
    pods: [growing({ from: 300, to: 1500, perSecond: 16, uses: 0, at: 5 })],
    ...{ seconds: 70, swapMib: LITTLE_SWAP_MIB },
  },
  "tmpfs-fills": {
    pods: [growing({ kind: "shared", from: 20, to: 1500, perSecond: 30, uses: 0, at: 5 })],
    ...{ seconds: 65, swapMib: LITTLE_SWAP_MIB },
  },
};

/** Returns a function that advances a scenario's counterpart by a second, and its duration; throws an Error for an unknown name. */
export function counterpartOf(name: string, seed: number) {
  const found = COUNTERPARTS[name];
  if (found === undefined) throw new Error(`no counterpart of ${name}`);
  const { pods, swapMib = 1024, swapPages = Number.POSITIVE_INFINITY, ends, seconds } = found;
  const node = new SimulatedNode(
    {
      ...{ cpus: 2, memoryPages: 2048 * MIB, swapPages: swapMib * MIB, swapDevice: DEVICE },
      fileDevice: { pagesPerSecond: 50_000, latencySeconds: 2e-5 },
      ...{ kubepodsMaxPages: MAX_MIB * MIB, kubepodsHighPages: HIGH_MIB * MIB, systemPages: 300 * MIB },
      hasPressure: true,
      // The guest's kernel took from the neighbours, whose pages are all in use, nearly as much as from cold memory.
      coldUsesPerSecond: 2,
      pods: [...NEIGHBOURS, ...pods]
        .map((pod) => ({ ...pod, swapPages }))
        .sort((a, b) => a.startsAtSeconds - b.startsAtSeconds),
    },
    new Random(seed),
  );
  const next = () => {
    node.tick();
    if (ends !== undefined && node.atSeconds >= ends.atSeconds) node.remove(ends.name);
    return node;
  };
  return { next, seconds };
}

interface Growing {
  readonly name?: string;
  readonly kind?: Region["kind"];
  readonly from: number;
  readonly to: number;
  readonly perSecond: number;
  readonly uses: number;
  readonly at?: number;
}

function growing({ name = "hog", kind = "anonymous", from, to, perSecond, uses, at = 8 }: Growing): PodPlan {
  return podOf({
    name,
    regions: [{ ...heap(from, uses), kind }],
    growthPagesPerSecond: perSecond * MIB,
    grownPages: to * MIB,
    startsAtSeconds: at,
  });
}

function podOf({ name, regions, ...rest }: Partial<PodPlan> & { readonly name: string }): PodPlan {
  return {
    pod: {
      ...{
        uid: name,
        namespace: "shop",
        name,
        annotations: {},
        labels: {},
        qosClass: "Burstable",
        priority: 0,
      },
      ...{ phase: "Running", isTerminating: false, ownerKind: "ReplicaSet" },
      containers: [
        {
          ...{ name: "app", id: name, memoryLimitBytes: undefined },
          memoryRequestBytes: (name.startsWith("neighbour") ? 100 : 64) * 2 ** 20,
        },
      ],
    },
    regions: [
      ...(regions ?? []),
      { kind: "file", usesPerSecond: 1, residentPages: PROGRAM_MIB * MIB, awayPages: 0 },
    ],
    ...{ threads: 1, duty: 0.9, burners: 0, growthPagesPerSecond: 0, grownPages: 0, changes: [] },
    ...{ maxPages: Number.POSITIVE_INFINITY, highPages: Number.POSITIVE_INFINITY },
    ...{ swapPages: Number.POSITIVE_INFINITY, leaveSeconds: 1, answer: "accepted", startsAtSeconds: 0 },
    ...rest,
  } as PodPlan;
}

/** Returns the uses of each page a second by a pod that uses so many MiB again and again, with a pause each time. */
function usesOf(mib: number, pauseSeconds = 0): number {
  return 1 / (pauseSeconds + (mib * MIB) / TOUCHED_PAGES_PER_SECOND);
}

function heap(mib: number, usesPerSecond: number, awayMib = 0): Region {
  return { kind: "anonymous", usesPerSecond, residentPages: mib * MIB, awayPages: awayMib * MIB };
}
