import { type EvictionAnswer, withAnswer } from "../../../src/policy/eviction/answer.ts";
import {
  decideEviction,
  type EvictionConfig,
  type EvictionDecision,
} from "../../../src/policy/eviction/decide.ts";
import type { Snapshot } from "../../../src/policy/eviction/snapshot.ts";
import { NO_EVICTIONS } from "../../../src/policy/eviction/state.ts";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import { MI, podOf, sampleOf, snapshotAt } from "./snapshots.ts";

/** Configuration of a Run without other knobs. */
export const CONFIG: EvictionConfig = {
  evictionMode: "Enforce",
  evictionThresholds: [
    {
      name: "stalled",
      allOf: [{ signal: "memoryPressure", operator: ">=", value: 0.1 }],
      unless: { signal: "swapSettling", operator: ">=", value: 0.1 },
      graceSeconds: 10,
      minClearSeconds: 30,
      isHard: true,
    },
  ],
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
  readonly grownPages: number;
  readonly returnedPages: number;
}

const CALM: Swapping = { grownPages: 0, returnedPages: 0 };

/** Simulation of a node on which the decisions are carried out. */
export class Run {
  readonly decisions: EvictionDecision[] = [];
  readonly requests: { readonly podUid: string; readonly method: string; readonly atSeconds: number }[] = [];
  /** Answer of the API server; an evicted pod is gone after so many seconds. */
  answer: (podUid: string, method: string) => EvictionAnswer = () => "accepted";
  exitSeconds = 5;
  pods: Pod[];
  readonly #config: EvictionConfig;
  #state = NO_EVICTIONS;
  #now = 0;
  #stallMicroseconds = 0;
  #swapPages = 0;
  #returnedPages = 0;
  #exits = new Map<string, number>();

  constructor(pods: readonly Pod[], knobs: Partial<EvictionConfig> = {}) {
    this.pods = [...pods];
    this.#config = { ...CONFIG, ...knobs };
  }

  /** Advances by a second, with this stalled fraction of it, and with this swap traffic of each pod. */
  second(stall: number, { grownPages, returnedPages }: Swapping = CALM): EvictionDecision {
    this.#now += 1;
    this.#stallMicroseconds += stall * 1e6;
    this.#swapPages += grownPages;
    this.#returnedPages += returnedPages;
    this.pods = this.pods.filter(({ uid }) => (this.#exits.get(uid) ?? Number.POSITIVE_INFINITY) > this.#now);
    const { decision, state } = decideEviction(this.#state, this.#snapshot(), this.#config);
    this.#state = state;
    this.decisions.push(decision);
    if (decision.verdict === "evict") this.#request(decision);
    return decision;
  }

  seconds(count: number, stall: number, swapping: Swapping = CALM): EvictionDecision | undefined {
    for (let second = 0; second < count; second++) this.second(stall, swapping);
    return this.decisions.at(-1);
  }

  #snapshot(): Snapshot {
    const counters = {
      stallMicroseconds: this.#stallMicroseconds,
      swapInPages: this.#now * 1000,
    };
    const swap = { swapBytes: this.#swapPages * 4096, anonRefaults: this.#returnedPages };
    const containers = this.pods.map(({ uid }, index) =>
      sampleOf(uid, { memoryBytes: (500 - index) * MI, ...swap }),
    );
    return snapshotAt(this.#now, counters, this.pods, containers);
  }

  #request({ victim, method }: EvictionDecision & { verdict: "evict" }): void {
    const podUid = victim.pod.uid;
    const answer = this.#config.evictionMode === "DryRun" ? "dry-run" : this.answer(podUid, method);
    this.requests.push({ podUid, method, atSeconds: this.#now });
    if (answer === "accepted") this.#exits.set(podUid, this.#now + this.exitSeconds);
    this.#state = withAnswer(this.#state, podUid, answer, this.#config, this.#now);
  }
}

/** Three pods that differ in their names only. */
export const PODS = ["a", "b", "c"].map((uid) => podOf(uid));
