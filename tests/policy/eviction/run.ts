import { type EvictionAnswer, withAnswer } from "../../../src/policy/eviction/answer.ts";
import {
  decideEviction,
  type EvictionConfig,
  type EvictionDecision,
} from "../../../src/policy/eviction/decide.ts";
import { DEFAULT_THRESHOLDS } from "../../../src/policy/eviction/default-thresholds.ts";
import type { ContainerSample, PodSample, Snapshot } from "../../../src/policy/eviction/snapshot.ts";
import { type EvictionState, NO_EVICTIONS } from "../../../src/policy/eviction/state.ts";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import { MI, type Moment, podOf, podSampleOf, pressureOf, sampleOf, snapshotAt } from "./snapshots.ts";

/** Configuration of a Run without other knobs. */
export const CONFIG: EvictionConfig = {
  evictionMode: "Enforce",
  evictionThresholds: DEFAULT_THRESHOLDS,
  trafficWindowSeconds: 10,
  cooldownSeconds: 60,
  victimDeadlineSeconds: 120,
  maxEvictionsPerHour: 6,
  lastResort: "None",
  excludeNamespaces: ["kube-system"],
  ownPodUid: undefined,
  evictionOptOut: "WithinRequests",
  evictionOptOutNamespaces: ["*"],
};

/** Swap traffic of each pod in a second. */
interface Swapping {
  /** Growth of its swap. */
  readonly grownPages: number;
  readonly returnedPages: number;
}

/** Traffic of a pod in a second, and its use. */
interface PodLoad extends Partial<Swapping> {
  readonly memoryBytes?: number;
  /** Growth of its memory. */
  readonly takenPages?: number;
  readonly swapBytes?: number;
  readonly swapLimitBytes?: number;
  /** Stalled fraction of the pod itself; undefined as in older recordings. */
  readonly stall?: number;
  /** Reclaims against its own limits. */
  readonly ownLimitEvents?: number;
}

interface Counts {
  grownPages: number;
  returnedPages: number;
  takenPages: number;
  stallMicroseconds: number;
  ownLimitEvents: number;
}

const THRASHING: Swapping = { grownPages: 0, returnedPages: 300 };
/** Free memory of a node whose pods are short of it. */
export const SHORT = { memoryAvailableBytes: 100 * MI } as const;

/** Simulation of a node on which the decisions are carried out. */
export class Run {
  readonly decisions: EvictionDecision[] = [];
  readonly requests: { readonly podUid: string; readonly method: string; readonly atSeconds: number }[] = [];
  /** Answer of the API server; an evicted pod is gone after so many seconds. */
  answer: (podUid: string, method: string) => EvictionAnswer = () => "accepted";
  exitSeconds = 5;
  pods: Pod[];
  /** Loads of pods that differ from the others', by UID. */
  loads: Readonly<Record<string, PodLoad>> = {};
  /** Free resources of the node; without others, memory is short. */
  free: Pick<Moment, "memoryAvailableBytes" | "swapFreeBytes"> = SHORT;
  /** Pages that the node swaps in, and files' pages that are read again, in a second. */
  traffic = { swapInPages: 1000, fileRefaults: 0 };
  state: EvictionState = NO_EVICTIONS;
  readonly #config: EvictionConfig;
  readonly #counts = new Map<string, Counts>();
  readonly #exits = new Map<string, number>();
  #now = 0;
  #stallMicroseconds = 0;
  #swapInPages = 0;
  #fileRefaults = 0;

  constructor(pods: readonly Pod[], knobs: Partial<EvictionConfig> = {}) {
    this.pods = [...pods];
    this.#config = { ...CONFIG, ...knobs };
  }

  /** Advances by a second, with this stalled fraction of it, and with this swap traffic of each pod. */
  second(stall: number, swapping: Swapping = THRASHING): EvictionDecision {
    this.#now += 1;
    this.#stallMicroseconds += stall * 1e6;
    this.#swapInPages += this.traffic.swapInPages;
    this.#fileRefaults += this.traffic.fileRefaults;
    for (const { uid } of this.pods) this.#count(uid, { ...swapping, ...this.loads[uid] });
    this.pods = this.pods.filter(({ uid }) => (this.#exits.get(uid) ?? Number.POSITIVE_INFINITY) > this.#now);
    const { decision, state } = decideEviction(this.state, this.#snapshot(), this.#config);
    this.state = state;
    this.decisions.push(decision);
    if (decision.verdict === "evict") this.#request(decision);
    return decision;
  }

  seconds(count: number, stall: number, swapping: Swapping = THRASHING): EvictionDecision | undefined {
    for (let second = 0; second < count; second++) this.second(stall, swapping);
    return this.decisions.at(-1);
  }

  /** UIDs of the pods whose eviction was requested, oldest first. */
  get asked(): string[] {
    return this.requests.map(({ podUid }) => podUid);
  }

  #count(uid: string, { grownPages = 0, returnedPages = 0, takenPages = 0, ...load }: PodLoad): void {
    const before = this.#counts.get(uid);
    this.#counts.set(uid, {
      grownPages: (before?.grownPages ?? 0) + grownPages,
      returnedPages: (before?.returnedPages ?? 0) + returnedPages,
      takenPages: (before?.takenPages ?? 0) + takenPages,
      stallMicroseconds: (before?.stallMicroseconds ?? 0) + (load.stall ?? 0) * 1e6,
      ownLimitEvents: (before?.ownLimitEvents ?? 0) + (load.ownLimitEvents ?? 0),
    });
  }

  #snapshot(): Snapshot {
    const moment = {
      ...this.free,
      stallMicroseconds: this.#stallMicroseconds,
      swapInPages: this.#swapInPages,
      fileRefaults: this.#fileRefaults,
    };
    const containers = this.pods.map(({ uid }, index) => this.#containerOf(uid, index));
    const podSamples = containers.flatMap((container) => this.#podSampleOf(container));
    return snapshotAt(this.#now, moment, this.pods, containers, podSamples);
  }

  #containerOf(uid: string, index: number): ContainerSample {
    const { memoryBytes = (500 - index) * MI, swapBytes = 0, swapLimitBytes } = this.loads[uid] ?? {};
    const { grownPages = 0, returnedPages = 0, takenPages = 0 } = this.#counts.get(uid) ?? {};
    return sampleOf(uid, {
      memoryBytes: memoryBytes + takenPages * 4096,
      swapBytes: swapBytes + grownPages * 4096,
      anonRefaults: returnedPages,
      ...(swapLimitBytes === undefined ? {} : { swapLimitBytes }),
    });
  }

  #podSampleOf({ podUid, memoryBytes, swapBytes, anonRefaults }: ContainerSample): PodSample[] {
    const counts = this.#counts.get(podUid);
    if (this.loads[podUid]?.stall === undefined || counts === undefined) return [];
    const { stallMicroseconds, ownLimitEvents } = counts;
    const own = { high: ownLimitEvents, max: 0, oom: 0 };
    return [
      podSampleOf(podUid, {
        ...{ memoryBytes, swapBytes, anonRefaults },
        memoryPressure: pressureOf(stallMicroseconds),
        events: { ...own, local: own },
      }),
    ];
  }

  #request({ victim, method }: EvictionDecision & { verdict: "evict" }): void {
    const podUid = victim.pod.uid;
    const answer = this.#config.evictionMode === "DryRun" ? "dry-run" : this.answer(podUid, method);
    this.requests.push({ podUid, method, atSeconds: this.#now });
    if (answer === "accepted") this.#exits.set(podUid, this.#now + this.exitSeconds);
    this.state = withAnswer(this.state, podUid, answer, this.#config, this.#now);
  }
}

/** Three pods that differ in their names only, and in the memory that they use, the first one most. */
export const PODS = ["a", "b", "c"].map((uid) => podOf(uid));
