import type { Pod } from "../../src/policy/kubernetes/pod.ts";
import type { Region } from "./memory.ts";
import type { Device, NodePlan } from "./node.ts";
import type { PodPlan } from "./pod.ts";
import type { Random } from "./random.ts";
import { COLD_USES_PER_SECOND } from "./reclaim.ts";
import { PAGE_BYTES } from "./samples.ts";

/** A node to be simulated, and its kind. */
export interface Scenario {
  readonly kind: string;
  readonly plan: NodePlan;
  readonly seconds: number;
}

const GI = 2 ** 30 / PAGE_BYTES;
const MI = 2 ** 20 / PAGE_BYTES;

/** Builder of each kind of scenario. */
const STORIES: Readonly<Record<string, (node: NodeDraft, random: Random) => void>> = {
  quiet: (node) => node.addServices(0.6),
  hog: (node, random) => {
    node.addServices(0.6);
    node.addHog(random);
  },
  "hog-among-low-priority": (node, random) => {
    node.addServices(0.5);
    node.addHog(random, { priority: 1000 });
    node.addDecoys(random);
  },
  "hog-in-excluded-namespace": (node, random) => {
    node.addServices(0.5);
    node.addHog(random, { namespace: "kube-system" });
  },
  "hog-critical": (node, random) => {
    node.addServices(0.5);
    node.addHog(random, { priority: 2_000_000_000 });
  },
  "hog-blocked": (node, random) => {
    node.addServices(0.5);
    node.addHog(random, {}, { answer: "blocked" });
  },
  "hog-and-quiet-swapper": (node, random) => {
    node.addServices(0.4);
    node.addQuietSwapper(random);
    node.addHog(random);
  },
  "own-limit": (node, random) => {
    node.addServices(0.4);
    node.addBounded(random, "max");
  },
  "own-high": (node, random) => {
    node.addServices(0.4);
    node.addBounded(random, "high");
  },
  // The node is a bit short too, which harms nobody.
  "own-limit-on-full-node": (node, random) => {
    node.addServices(0.9);
    node.addBounded(random, "max");
  },
  "own-high-on-full-node": (node, random) => {
    node.addServices(0.9);
    node.addBounded(random, "high");
  },
  "quiet-hog-and-thrasher": (node, random) => {
    node.addServices(0.45);
    node.addQuietHog(random);
  },
  "hog-beside-burners": (node, random) => {
    node.addServices(0.5);
    node.addBurners(random);
    node.addHog(random);
  },
  "leak-to-slow-device": (node, random) => {
    node.setSwapDevice({ pagesPerSecond: random.scaled(300, 1500), latencySeconds: 0.005 });
    node.addServices(0.6);
    node.addHog(random, {}, { reuse: 0.0005 });
  },
  "hog-with-files": (node, random) => {
    node.addServices(0.5, 0.5);
    node.addHog(random);
  },
  bursts: (node, random) => {
    node.addServices(0.5);
    node.addHog(random, {}, { changes: burstsOf(random) });
  },
  "hog-fast-zram": (node, random) => {
    node.setSwapDevice({ pagesPerSecond: random.scaled(150_000, 400_000), latencySeconds: 8e-6 });
    node.addServices(0.5);
    node.addHog(random);
  },
  migration: (node, random) => {
    node.addServices(0.5);
    node.addArrival(random);
  },
  "many-starts": (node, random) => {
    node.addServices(0.3);
    node.addStarts(random);
  },
  "old-full-swap": (node, random) => {
    node.fillSwap();
    node.addServices(0.4);
    node.addBackup(random);
  },
  "slow-files": (node, random) => {
    node.setFileDevice({ pagesPerSecond: random.scaled(200, 2000), latencySeconds: 0.01 });
    node.addServices(0.4);
    node.addBackup(random);
  },
  "overcommitted-machines": (node, random) => node.addMachines(random),
  "two-hogs": (node, random) => {
    node.addServices(0.5);
    node.addHog(random);
    node.addHog(random, { name: "hog-2" });
  },
};

/** Names of the kinds of scenarios. */
export const KINDS: readonly string[] = Object.keys(STORIES);

/** Returns a scenario of a kind, deterministic by the random source; throws an Error for an unknown kind. */
export function scenarioOf(kind: string, random: Random): Scenario {
  const story = STORIES[kind];
  if (story === undefined) throw new Error(`unknown kind ${kind}: the kinds are ${KINDS.join(", ")}`);
  const node = new NodeDraft(random);
  story(node, random);
  return { kind, plan: node.plan(), seconds: 240 };
}

interface HogShape {
  readonly answer?: PodPlan["answer"];
  /** Uses of each page a second. */
  readonly reuse?: number;
  readonly changes?: PodPlan["changes"];
}

/** Draft of a node. */
class NodeDraft {
  readonly #random: Random;
  readonly #memoryPages: number;
  readonly #swapPages: number;
  readonly #podsPages: number;
  #swapDevice: Device;
  #fileDevice: Device;
  #isSwapFull = false;
  readonly #pods: PodPlan[] = [];

  constructor(random: Random) {
    this.#random = random;
    this.#memoryPages = Math.round(random.scaled(4, 128)) * GI;
    this.#swapPages = Math.round(this.#memoryPages * random.between(0.25, 1));
    this.#podsPages = 0.9 * this.#memoryPages - 0.4 * GI;
    this.#swapDevice = { pagesPerSecond: random.scaled(8_000, 80_000), latencySeconds: 1e-4 };
    this.#fileDevice = { pagesPerSecond: random.scaled(10_000, 80_000), latencySeconds: 1e-4 };
  }

  plan(): NodePlan {
    const isHeld = this.#random.chance(0.5);
    return {
      cpus: this.#random.pick([2, 4, 8, 16, 64]),
      memoryPages: this.#memoryPages,
      swapPages: this.#swapPages,
      swapDevice: this.#swapDevice,
      fileDevice: this.#fileDevice,
      kubepodsMaxPages: this.#podsPages,
      kubepodsHighPages: isHeld ? this.#podsPages - 164 * MI : Number.POSITIVE_INFINITY,
      systemPages: 0.3 * GI,
      hasPressure: true,
      coldUsesPerSecond: this.#random.scaled(COLD_USES_PER_SECOND, 2),
      pods: this.#isSwapFull ? [this.#sleeper(), ...this.#pods] : this.#pods,
    };
  }

  setSwapDevice(device: Device): void {
    this.#swapDevice = device;
  }

  setFileDevice(device: Device): void {
    this.#fileDevice = device;
  }

  fillSwap(): void {
    this.#isSwapFull = true;
  }

  /** Adds services with a constant working set within their requests. */
  addServices(part: number, fileShare = 0.1): void {
    const count = this.#random.whole(3, 10);
    for (let index = 0; index < count; index += 1) {
      const pages = (part * this.#podsPages) / count;
      this.#add({
        name: `service-${index}`,
        requestPages: pages * this.#random.between(1.05, 1.4),
        regions: [
          heap(pages * (0.8 - fileShare), this.#random.scaled(0.1, 3)),
          heap(pages * 0.2, this.#random.scaled(0.0005, 0.01)),
          files(pages * fileShare, this.#random.scaled(0.05, 2)),
        ],
        threads: this.#random.whole(1, 8),
        duty: this.#random.between(0.02, 0.5),
      });
    }
  }

  addHog(random: Random, pod: Partial<Pod> = {}, shape: HogShape = {}): void {
    const startPages = 0.05 * this.#podsPages;
    const seconds = random.between(15, 60);
    const grownPages = this.#podsPages * random.between(0.6, 0.8);
    this.#add({
      name: "hog",
      pod,
      requestPages: startPages * random.between(0.5, 1),
      regions: [heap(startPages, shape.reuse ?? random.scaled(0.3, 3)), files(20 * MI, 0.2)],
      threads: random.whole(1, 16),
      duty: random.between(0.2, 1),
      growthPagesPerSecond: grownPages / seconds,
      grownPages,
      startsAtSeconds: random.whole(5, 40),
      answer: shape.answer ?? "accepted",
      changes: shape.changes ?? [],
    });
  }

  /** Adds small pods of low priority, each slightly over its request. */
  addDecoys(random: Random): void {
    for (let index = 0; index < 8; index += 1)
      this.#add({
        name: `decoy-${index}`,
        requestPages: 60 * MI,
        regions: [heap((60 + random.between(1, 8)) * MI, 0.5)],
      });
  }

  /** Adds an idle pod that exceeds its limit only by its granted swap. */
  addQuietSwapper(random: Random): void {
    const limitPages = 0.08 * this.#podsPages;
    this.#add({
      name: "quiet",
      requestPages: limitPages * 0.7,
      limitPages,
      regions: [
        heap(limitPages * 0.95, 0.01),
        { ...heap(0, 0.00005), awayPages: limitPages * random.between(0.1, 0.4) },
      ],
    });
  }

  /** Adds a pod that uses far more than its requests all the time, and a small one whose memory it displaces. */
  addQuietHog(random: Random): void {
    this.#add({
      name: "hog",
      requestPages: 0.15 * this.#podsPages,
      regions: [heap(0.5 * this.#podsPages, 4)],
    });
    const pages = this.#podsPages * random.between(0.06, 0.12);
    this.#add({
      name: "thrasher",
      requestPages: pages * 0.97,
      regions: [heap(pages, random.scaled(0.3, 1))],
      threads: 1,
      startsAtSeconds: 20,
    });
  }

  /** Adds a pod with a working set above its own limit. */
  addBounded(random: Random, kind: "max" | "high"): void {
    const limitPages = 0.1 * this.#podsPages;
    this.#add({
      name: "bounded",
      requestPages: limitPages * 0.6,
      ...(kind === "max" ? { limitPages } : { highPages: limitPages }),
      regions: [heap(limitPages * 0.5, random.scaled(1, 4)), files(10 * MI, 0.2)],
      threads: random.whole(1, 4),
      duty: 0.8,
      growthPagesPerSecond: limitPages / 20,
      grownPages: limitPages * random.between(1.1, 1.6),
    });
  }

  addBurners(random: Random): void {
    for (let index = 0; index < random.whole(1, 4); index += 1)
      this.#add({ name: `burner-${index}`, requestPages: 20 * MI, regions: [heap(10 * MI, 1)], burners: 64 });
  }

  /** Adds a virtual machine that arrives by live migration. */
  addArrival(random: Random): void {
    const pages = 0.45 * this.#podsPages;
    this.#add({
      name: "machine",
      requestPages: pages * 1.05,
      regions: [heap(10 * MI, 0.001)],
      growthPagesPerSecond: pages / random.between(30, 100),
      grownPages: pages,
      startsAtSeconds: 30,
    });
    this.#add({
      name: "cold",
      requestPages: 0.25 * this.#podsPages,
      regions: [heap(0.2 * this.#podsPages, 0.00002)],
    });
  }

  addStarts(random: Random): void {
    for (let index = 0; index < 50; index += 1) {
      const pages = 0.008 * this.#podsPages;
      this.#add({
        name: `start-${index}`,
        requestPages: pages * 1.2,
        regions: [heap(pages * 0.1, 0.5)],
        growthPagesPerSecond: pages / random.between(2, 10),
        grownPages: pages,
        startsAtSeconds: 20 + random.whole(0, 20),
      });
    }
  }

  /** Adds a job that reads more files than its limit holds. */
  addBackup(random: Random): void {
    const limitPages = 256 * MI;
    this.#add({
      name: "backup",
      requestPages: limitPages,
      limitPages,
      regions: [{ ...files(limitPages * 0.9, random.scaled(0.05, 0.5)), awayPages: 10 * limitPages }],
      threads: random.whole(1, 4),
      startsAtSeconds: 20,
    });
  }

  /** Adds overcommitted virtual machines, one of which uses all of its memory. */
  addMachines(random: Random): void {
    const count = random.whole(4, 8);
    const pages = (1.3 * this.#podsPages) / count;
    for (let index = 0; index < count; index += 1) {
      const isBusy = index === 0;
      const hot = pages * (isBusy ? 0.9 : 0.3);
      this.#add({
        name: isBusy ? "busy" : `idle-${index}`,
        pod: { labels: { "kubevirt.io": "virt-launcher" } },
        requestPages: pages * 0.66,
        regions: [heap(hot * 0.3, isBusy ? 1.5 : 0.3), heap((pages - hot) * (isBusy ? 1 : 0.55), 0.00005)],
        growthPagesPerSecond: isBusy ? pages / 30 : 0,
        grownPages: hot,
        threads: 4,
        startsAtSeconds: isBusy ? 20 : 0,
      });
    }
  }

  #sleeper(): PodPlan {
    const request = this.#swapPages * 1.2;
    return this.#draft({
      name: "sleeper",
      requestPages: request,
      regions: [{ ...heap(10 * MI, 0.00001), awayPages: this.#swapPages * 0.995 }],
    });
  }

  #add(draft: PodDraft): void {
    this.#pods.push(this.#draft(draft));
    this.#pods.sort((a, b) => a.startsAtSeconds - b.startsAtSeconds);
  }

  #draft({ name, pod = {}, requestPages, limitPages, ...rest }: PodDraft): PodPlan {
    const bytes = (pages: number) => Math.round(pages) * PAGE_BYTES;
    const uid = `${pod.namespace ?? "shop"}-${pod.name ?? name}`;
    return {
      pod: {
        ...{ uid, namespace: "shop", name, annotations: {}, labels: {}, qosClass: "Burstable", priority: 0 },
        ...{ phase: "Running", isTerminating: false, ownerKind: "ReplicaSet" },
        ...pod,
        containers: [
          {
            ...{ name: "app", id: uid, memoryRequestBytes: bytes(requestPages) },
            memoryLimitBytes: limitPages === undefined ? undefined : bytes(limitPages),
          },
        ],
      },
      ...{ threads: 2, duty: 0.2, burners: 0, growthPagesPerSecond: 0, grownPages: 0, changes: [] },
      maxPages: limitPages ?? Number.POSITIVE_INFINITY,
      ...{ highPages: Number.POSITIVE_INFINITY, swapPages: Number.POSITIVE_INFINITY },
      ...{ leaveSeconds: this.#random.between(1, 8), answer: "accepted", startsAtSeconds: 0 },
      ...rest,
    };
  }
}

interface PodDraft extends Partial<Omit<PodPlan, "pod" | "regions">> {
  readonly name: string;
  readonly pod?: Partial<Pod>;
  readonly requestPages: number;
  readonly limitPages?: number;
  readonly regions: readonly Region[];
}

function heap(residentPages: number, usesPerSecond: number): Region {
  return { kind: "anonymous", usesPerSecond, residentPages, awayPages: 0 };
}

function files(residentPages: number, usesPerSecond: number): Region {
  return { kind: "file", usesPerSecond, residentPages, awayPages: 0 };
}

function burstsOf(random: Random): PodPlan["changes"] {
  const [on, off] = [random.between(6, 10), random.between(3, 5)];
  const changes: { atSeconds: number; usesFactor: number }[] = [];
  for (let at = 30; at < 240; at += on + off)
    changes.push({ atSeconds: at, usesFactor: 1 }, { atSeconds: at + on, usesFactor: 0.001 });
  return changes;
}
