import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { addedCounters, type Counters, isSwapped, newCounters, type Region, sumOf } from "./memory.ts";
import { copyPod, type PodPlan, type RunningPod, resident, startPod, swapped, usesFactorAt } from "./pod.ts";
import { stallOf, type ThreadTime } from "./psi.ts";
import type { Random } from "./random.ts";
import { type Reclaimable, reclaim } from "./reclaim.ts";
import { containerSampleOf, inactivePages, PAGE_BYTES, podSampleOf } from "./samples.ts";
import { StallMeter } from "./stall-meter.ts";

const STEPS_PER_SECOND = 4;
const STEP_SECONDS = 1 / STEPS_PER_SECOND;
// Without anything to reclaim, an allocation waits this long before its next attempt.
const FUTILE_WAIT_SECONDS = 0.05;
// The kernel kills after some seconds of failed reclaim, but never below memory.high.
const OOM_AFTER_SECONDS = 6;

/** A storage device. */
export interface Device {
  /** Reads and writes together. */
  readonly pagesPerSecond: number;
  readonly latencySeconds: number;
}

/** Hardware, limits and pods of a simulated node. */
export interface NodePlan {
  readonly cpus: number;
  readonly memoryPages: number;
  readonly swapPages: number;
  readonly swapDevice: Device;
  readonly fileDevice: Device;
  /** memory.max of all pods together; Infinity for no limit. */
  readonly kubepodsMaxPages: number;
  readonly kubepodsHighPages: number;
  /** Memory in use outside of pods. */
  readonly systemPages: number;
  readonly hasPressure: boolean;
  /**
   * Uses a second below which pages are equally cold to the kernel, 0.002 by default. The kernel takes from each cgroup by its
   * size, and finds the cold pages in it only roughly.
   */
  readonly coldUsesPerSecond?: number;
  readonly pods: readonly PodPlan[];
}

/** A node whose pods use memory and whose kernel reclaims it; deterministic by seed. */
export class SimulatedNode {
  readonly plan: NodePlan;
  readonly #random: Random;
  #atSeconds = 0;
  #pods: RunningPod[] = [];
  #startedPlans = 0;
  #swapFreePages: number;
  #swapInPages = 0;
  #swapOutPages = 0;
  #all: Counters = newCounters();
  #stall = new StallMeter();
  /** Fraction of reclaimed pages that are written to swap. */
  #writtenShare = 0;
  #futileSeconds = 0;
  #isShort = false;
  #isGrowthStopped = false;
  #growingUid: string | undefined;

  constructor(plan: NodePlan, random: Random) {
    this.plan = plan;
    this.#random = random;
    this.#swapFreePages = plan.swapPages;
    this.#startDuePods();
  }

  /** Returns an independent node in the same state. */
  copy(): SimulatedNode {
    const copy = new SimulatedNode({ ...this.plan, pods: [] }, this.#random.copy());
    Object.assign(copy, { plan: this.plan });
    copy.#atSeconds = this.#atSeconds;
    copy.#pods = this.#pods.map(copyPod);
    copy.#startedPlans = this.#startedPlans;
    copy.#swapFreePages = this.#swapFreePages;
    copy.#swapInPages = this.#swapInPages;
    copy.#swapOutPages = this.#swapOutPages;
    copy.#all = { ...this.#all };
    copy.#stall = this.#stall.copy();
    copy.#writtenShare = this.#writtenShare;
    copy.#futileSeconds = this.#futileSeconds;
    copy.#isShort = this.#isShort;
    copy.#isGrowthStopped = this.#isGrowthStopped;
    copy.#growingUid = this.#growingUid;
    return copy;
  }

  /** Seconds since the node began. */
  get atSeconds(): number {
    return this.#atSeconds;
  }

  /** Running pods, terminating ones included. */
  get pods(): readonly RunningPod[] {
    return this.#pods;
  }

  /** Advances by one second. */
  tick(): void {
    this.#startDuePods();
    for (let step = 0; step < STEPS_PER_SECOND; step += 1) this.#step();
    this.#atSeconds += 1;
    this.#measureStall();
    for (const pod of this.#pods.filter((one) => (one.terminatesAtSeconds ?? Infinity) <= this.#atSeconds))
      this.remove(pod.plan.pod.uid);
  }

  /** Deletes a pod, which ends within its grace period, later if it waits for memory. */
  delete(uid: string): void {
    const pod = this.#pods.find(({ plan }) => plan.pod.uid === uid);
    if (pod === undefined || pod.terminatesAtSeconds !== undefined) return;
    const { leaveSeconds } = pod.plan;
    const slowed = leaveSeconds / Math.max(0.1, pod.progress);
    pod.terminatesAtSeconds = this.#atSeconds + Math.min(30, slowed);
  }

  /** Removes a pod at once, and frees its memory and swap. */
  remove(uid: string): void {
    const pod = this.#pods.find(({ plan }) => plan.pod.uid === uid);
    if (pod === undefined) return;
    this.#swapFreePages += swapped(pod.regions);
    this.#pods = this.#pods.filter((other) => other !== pod);
  }

  /** Stops the growth of all pods, those that start later included, except that of one pod. */
  stopGrowth(exceptUid?: string): void {
    this.#isGrowthStopped = true;
    this.#growingUid = exceptUid;
  }

  /** Fraction of the last second in which a pod waited for memory that the node is short of. */
  sharedStallOf(pod: RunningPod): number {
    return (1 - pod.progress) * pod.shortageShare;
  }

  /** Returns the agent's view of the node. */
  snapshot(): Snapshot {
    const { plan } = this;
    const used = this.#usedPages();
    const inactive = sumOf(this.#regions(), inactivePages);
    const free = Math.max(0, plan.memoryPages - plan.systemPages - used);
    const total = (figure: (pod: RunningPod) => number) =>
      this.#pods.reduce((sum, pod) => sum + figure(pod), 0);
    const pressure = plan.hasPressure ? this.#stall.pressure : undefined;
    return {
      atSeconds: this.#atSeconds,
      pageBytes: PAGE_BYTES,
      node: {
        memoryTotalBytes: plan.memoryPages * PAGE_BYTES,
        memoryAvailableBytes: Math.round(free + inactive) * PAGE_BYTES,
        memoryFreeBytes: Math.round(free) * PAGE_BYTES,
        inactiveFileBytes: Math.round(inactive) * PAGE_BYTES,
        swapTotalBytes: plan.swapPages * PAGE_BYTES,
        swapFreeBytes: Math.round(this.#swapFreePages) * PAGE_BYTES,
        swapInPages: Math.round(this.#swapInPages),
        swapOutPages: Math.round(this.#swapOutPages),
        directScans: undefined,
        kswapdScans: undefined,
        memoryPressure: pressure,
      },
      kubepods: {
        memoryBytes: Math.round(used) * PAGE_BYTES,
        inactiveFileBytes: Math.round(inactive) * PAGE_BYTES,
        anonBytes: Math.round(total(({ regions }) => anonymousPages(regions))) * PAGE_BYTES,
        swapBytes: Math.round(total(({ regions }) => swapped(regions))) * PAGE_BYTES,
        anonRefaults: Math.round(this.#all.anonRefaultPages),
        fileRefaults: Math.round(this.#all.fileRefaultPages),
        memoryMaxBytes: plan.kubepodsMaxPages * PAGE_BYTES,
        memoryHighBytes: plan.kubepodsHighPages * PAGE_BYTES,
        memoryPressure: pressure,
      },
      containers: this.#pods.map((pod) => containerSampleOf(pod, plan.hasPressure)),
      podSamples: this.#pods.map((pod) => podSampleOf(pod, plan.hasPressure)),
      pods: this.#pods.map(({ plan: { pod }, terminatesAtSeconds }) => ({
        ...pod,
        isTerminating: terminatesAtSeconds !== undefined,
      })),
    };
  }

  #startDuePods(): void {
    const plans = this.plan.pods;
    for (; this.#startedPlans < plans.length; this.#startedPlans += 1) {
      const plan = plans[this.#startedPlans];
      if (plan === undefined || plan.startsAtSeconds > this.#atSeconds) return;
      const pod = startPod(plan);
      this.#swapFreePages -= swapped(pod.regions);
      this.#pods.push(pod);
    }
  }

  #step(): void {
    const limit = this.#limitPages();
    this.#isShort = this.#usedPages() > limit - 64;
    const demands = this.#pods.map((pod) => this.#demandOf(pod));
    const swapWait = waitOf(this.plan.swapDevice, demands, ({ swap }) => swap);
    const fileWait = waitOf(this.plan.fileDevice, demands, ({ file }) => file);
    for (const demand of demands) this.#work(demand, swapWait, fileWait);
    for (const pod of this.#pods) this.#reclaimOwn(pod);
    this.#reclaimShared(limit);
  }

  #demandOf(pod: RunningPod): Demand {
    const factor = usesFactorAt(pod.plan, this.#atSeconds);
    const faults = (isWanted: (region: Region) => boolean) =>
      sumOf(pod.regions, (region) =>
        isWanted(region) ? region.awayPages * Math.min(STEPS_PER_SECOND, region.usesPerSecond * factor) : 0,
      );
    const swapIn = faults(isSwapped);
    const fileIn = faults((region) => !isSwapped(region));
    const [first] = pod.regions;
    const size = first === undefined ? 0 : first.residentPages + first.awayPages;
    const mayGrow = !this.#isGrowthStopped || pod.plan.pod.uid === this.#growingUid;
    const growth = mayGrow && size < pod.plan.grownPages ? pod.plan.growthPagesPerSecond : 0;
    const own = resident(pod.regions) >= Math.min(pod.plan.maxPages, pod.plan.highPages) - 64;
    const allocations = swapIn + fileIn + growth;
    const written = this.#isShort || own ? allocations * this.#writtenShare : 0;
    const futile = this.#futileSeconds > 0 && this.#isShort ? allocations * FUTILE_WAIT_SECONDS : 0;
    return {
      ...{ pod, growth, futile, isOwn: own },
      ...{ swap: swapIn + written, file: fileIn, threads: Math.max(1, pod.plan.threads) },
    };
  }

  #work(demand: Demand, swapWait: number, fileWait: number): void {
    const { pod, growth } = demand;
    const forSwap = demand.swap * swapWait + demand.futile;
    const forFiles = demand.file * fileWait;
    pod.progress = 1 / (1 + (forSwap + forFiles) / demand.threads);
    const forShortage = demand.isOwn ? 0 : forSwap + (this.#isShort ? forFiles : 0);
    pod.shortageShare = forShortage / Math.max(Number.MIN_VALUE, forSwap + forFiles);
    const factor = usesFactorAt(pod.plan, this.#atSeconds);
    for (const region of pod.regions) {
      const rate = Math.min(STEPS_PER_SECOND, region.usesPerSecond * factor);
      const back = Math.min(region.awayPages, region.awayPages * rate * pod.progress * STEP_SECONDS);
      region.awayPages -= back;
      region.residentPages += back;
      if (isSwapped(region)) {
        pod.swap.pages += back;
        this.#swapFreePages += back;
        this.#swapInPages += back;
        pod.counters.anonRefaultPages += back;
        this.#all.anonRefaultPages += back;
      } else {
        pod.counters.fileRefaultPages += back;
        this.#all.fileRefaultPages += back;
      }
    }
    const [first] = pod.regions;
    if (first !== undefined) first.residentPages += growth * pod.progress * STEP_SECONDS;
  }

  #reclaimOwn(pod: RunningPod): void {
    const { maxPages, highPages } = pod.plan;
    const excess = resident(pod.regions) - Math.min(maxPages, highPages);
    if (excess <= 0) return;
    if (highPages < maxPages) pod.counters.highEvents += 1;
    else pod.counters.maxEvents += 1;
    const taken = this.#reclaim([pod], excess);
    if (taken >= excess - 64 || highPages < maxPages) return;
    pod.counters.oomEvents += 1;
    this.#restart(pod);
  }

  #reclaimShared(limit: number): void {
    const excess = this.#usedPages() - limit;
    if (excess <= 0) {
      this.#futileSeconds = 0;
      return;
    }
    const taken = this.#reclaim(this.#pods, excess);
    this.#futileSeconds = taken < excess / 2 ? this.#futileSeconds + STEP_SECONDS : 0;
    const isHard = this.plan.kubepodsHighPages >= this.plan.kubepodsMaxPages;
    const isFar = this.#usedPages() > this.plan.kubepodsMaxPages;
    if (this.#futileSeconds > OOM_AFTER_SECONDS && (isHard || isFar)) this.#killForMemory();
  }

  #reclaim(pods: readonly RunningPod[], pages: number): number {
    const from: Reclaimable[] = pods.flatMap(({ regions, swap }) =>
      regions.map((region) => ({ region, swap })),
    );
    const room = { pages: this.#swapFreePages };
    const { swappedOutPages, droppedPages } = reclaim(from, pages, room, this.plan.coldUsesPerSecond);
    this.#swapFreePages = room.pages;
    this.#swapOutPages += swappedOutPages;
    const taken = swappedOutPages + droppedPages;
    if (taken > 0) this.#writtenShare = 0.8 * this.#writtenShare + (0.2 * swappedOutPages) / taken;
    return taken;
  }

  // The kubelet's oom_score_adj makes the kernel choose the pod furthest over its requests.
  #killForMemory(): void {
    const byExcess = (pod: RunningPod) =>
      resident(pod.regions) + swapped(pod.regions) - requestPages(pod.plan);
    const [worst] = [...this.#pods].sort((a, b) => byExcess(b) - byExcess(a));
    this.#futileSeconds = 0;
    if (worst !== undefined) this.#restart(worst);
  }

  #restart(pod: RunningPod): void {
    this.remove(pod.plan.pod.uid);
    const regions = pod.plan.regions.map((region) => ({ ...region, awayPages: 0 }));
    const endedCounters = addedCounters(pod.endedCounters, pod.counters);
    this.#pods.push(startPod({ ...pod.plan, regions }, { endedCounters, stall: pod.stall }));
  }

  #measureStall(): void {
    const threads = this.#pods.map((pod): ThreadTime[] => {
      const noise = this.#random.between(0.9, 1.1);
      const stalled = Math.min(0.99, (1 - pod.progress) * noise);
      const working = { runnable: (1 - stalled) * pod.plan.duty, stalled };
      return [
        ...Array.from({ length: pod.plan.threads }, () => working),
        ...Array.from({ length: pod.plan.burners }, () => ({ runnable: 1, stalled: 0 })),
      ];
    });
    const stalls = stallOf(threads, this.plan.cpus, this.#random);
    this.#pods.forEach(({ stall }, index) => {
      const own = stalls.groups[index];
      if (own !== undefined) stall.add(own);
    });
    this.#stall.add(stalls.all);
  }

  #regions(): Region[] {
    return this.#pods.flatMap(({ regions }) => regions);
  }

  #usedPages(): number {
    return this.#pods.reduce((sum, { regions }) => sum + resident(regions), 0);
  }

  #limitPages(): number {
    const { memoryPages, systemPages, kubepodsMaxPages, kubepodsHighPages } = this.plan;
    return Math.min(kubepodsMaxPages, kubepodsHighPages, 0.98 * memoryPages - systemPages);
  }
}

/** Demand of a pod on the devices at full speed, in pages a second. */
interface Demand {
  readonly pod: RunningPod;
  readonly growth: number;
  /** True if the pod is at its own limit. */
  readonly isOwn: boolean;
  readonly swap: number;
  readonly file: number;
  /** Seconds of futile waiting for memory in each second of work. */
  readonly futile: number;
  readonly threads: number;
}

/** Returns the wait for a page in seconds: the device's latency, or longer as far as demand exceeds its bandwidth. */
function waitOf(device: Device, demands: readonly Demand[], wanted: (demand: Demand) => number): number {
  const carriedAt = (wait: number) =>
    demands.reduce((sum, demand) => {
      const pages = wanted(demand);
      return sum + pages / (1 + (pages * wait + demand.futile) / demand.threads);
    }, 0);
  if (carriedAt(device.latencySeconds) <= device.pagesPerSecond) return device.latencySeconds;
  let [low, high] = [Math.log(device.latencySeconds), Math.log(100)];
  for (let round = 0; round < 20; round += 1) {
    const middle = (low + high) / 2;
    if (carriedAt(Math.exp(middle)) > device.pagesPerSecond) low = middle;
    else high = middle;
  }
  return Math.exp(high);
}

function requestPages({ pod }: PodPlan): number {
  return pod.containers.reduce((sum, { memoryRequestBytes }) => sum + memoryRequestBytes, 0) / PAGE_BYTES;
}

function anonymousPages(regions: readonly Region[]): number {
  return sumOf(regions, ({ kind, residentPages }) => (kind === "anonymous" ? residentPages : 0));
}
