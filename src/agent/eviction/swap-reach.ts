import { MemoryHigh } from "../../host/memory-high.ts";
import type { Event, Tell } from "../../log/events.ts";
import type { Snapshot } from "../../policy/eviction/snapshot.ts";
import { calmed, contested, restoreAt, restored, UNCONTESTED } from "../../policy/limits/contest.ts";
import {
  decideMemoryHigh,
  NO_REACH,
  needsContainers,
  type ReachConfig,
  type ReachDecision,
  type ReachState,
} from "../../policy/reach/memory-high.ts";

/** What a SwapReach is made of. */
export interface SwapReachOptions {
  /** Directories of the kubepods cgroups of cgroup v2; the first is the one that snapshots are of. */
  readonly directories: () => readonly string[];
  readonly config: () => ReachConfig & { readonly maxRestoresPerMinute: number };
  /** Something happened. */
  readonly tell: Tell;
  /** A condition lasts that keeps something from being done; undefined when it is over. */
  readonly meet: (event: Event, error: Error | undefined) => void;
}

/** Keeps memory.high of kubepods so that swap is within the pods' reach, and takes it away when nobody is to. */
export class SwapReach {
  readonly #options: SwapReachOptions;
  #directory: string | undefined;
  #memoryHigh: MemoryHigh | undefined;
  #state: ReachState = NO_REACH;
  #decision: ReachDecision | undefined;
  #contest = UNCONTESTED;
  /** What was in force when wasp looked or wrote last; undefined before it has looked. */
  #inForceBytes: number | undefined;

  constructor(options: SwapReachOptions) {
    this.#options = options;
  }

  /** What was decided last; undefined while nobody decides. */
  get decision(): ReachDecision | undefined {
    return this.#decision;
  }

  /** Whether the next snapshot should have each container's figures. */
  needsContainers(nowSeconds: number): boolean {
    return needsContainers(this.#state, nowSeconds);
  }

  /** Decides on a snapshot, and begins to write what is decided. Never throws. */
  take(snapshot: Snapshot): void {
    const [directory] = this.#options.directories();
    if (directory === undefined || snapshot.kubepods === undefined || this.#memoryHigh?.isBusy) return;
    try {
      const memoryHigh = this.#adopt(directory, snapshot.kubepods.memoryHighBytes);
      if (memoryHigh === undefined) return;
      const { decision, state } = decideMemoryHigh(this.#state, snapshot, this.#options.config());
      this.#state = state;
      this.#tellChange(decision);
      this.#decision = decision;
      void this.#keep(memoryHigh, decision, snapshot.kubepods.memoryHighBytes, snapshot.atSeconds);
    } catch (error) {
      this.#options.meet("swap-reach-failed", error as Error);
    }
  }

  /** Takes away what wasp has set, this agent or one before it, at once. Never fails. */
  async release(): Promise<void> {
    const own = this.#memoryHigh;
    const ofDirectory = (directory: string) =>
      directory === this.#directory && own !== undefined ? own : new MemoryHigh(directory);
    const released = this.#options.directories().map((directory) => ofDirectory(directory).release());
    this.#state = NO_REACH;
    this.#decision = undefined;
    this.#directory = undefined;
    this.#memoryHigh = undefined;
    try {
      await Promise.all(released);
    } catch (error) {
      this.#options.meet("swap-reach-failed", error as Error);
    }
  }

  /** Goes on from where an agent before this one ended; undefined where the limit is another's. */
  #adopt(directory: string, inForceBytes: number): MemoryHigh | undefined {
    if (directory === this.#directory) return this.#memoryHigh;
    const memoryHigh = new MemoryHigh(directory);
    const isOwn = inForceBytes === Number.POSITIVE_INFINITY || memoryHigh.isOwn();
    const complaint = isOwn ? undefined : new Error(foreignLimit(directory, inForceBytes));
    this.#options.meet("swap-reach-left", complaint);
    if (!isOwn) return undefined;
    this.#directory = directory;
    this.#memoryHigh = memoryHigh;
    this.#state = { ...NO_REACH, memoryHighBytes: inForceBytes };
    this.#inForceBytes = inForceBytes;
    this.#contest = UNCONTESTED;
    return memoryHigh;
  }

  #tellChange({ reason, memoryHighBytes }: ReachDecision): void {
    if (reason === this.#decision?.reason) return;
    if (reason === "held") this.#options.tell("swap-reach-held", { memoryHighBytes });
    else this.#options.tell("swap-reach-released", { reason, memoryHighBytes });
  }

  async #keep(
    memoryHigh: MemoryHigh,
    { memoryHighBytes }: ReachDecision,
    inForceBytes: number,
    nowSeconds: number,
  ): Promise<void> {
    const isUndone = inForceBytes !== this.#inForceBytes;
    if (!isUndone) this.#contest = calmed(this.#contest, nowSeconds);
    if (inForceBytes === memoryHighBytes) {
      this.#inForceBytes = inForceBytes;
      return;
    }
    if (isUndone && !this.#mayRestore(nowSeconds)) return;
    try {
      await memoryHigh.write(memoryHighBytes, inForceBytes);
      this.#inForceBytes = memoryHighBytes;
      if (isUndone) this.#options.tell("swap-reach-restored", { inForceBytes, memoryHighBytes });
      this.#options.meet("swap-reach-failed", undefined);
    } catch (error) {
      this.#options.meet("swap-reach-failed", error as Error);
    }
  }

  #mayRestore(nowSeconds: number): boolean {
    const { maxRestoresPerMinute } = this.#options.config();
    this.#contest = contested(this.#contest, nowSeconds, maxRestoresPerMinute);
    if (restoreAt(this.#contest, nowSeconds, maxRestoresPerMinute) > nowSeconds) return false;
    this.#contest = restored(this.#contest, nowSeconds);
    return true;
  }
}

function foreignLimit(directory: string, bytes: number): string {
  return `${directory}/memory.high is ${bytes}, which is not wasp's: while it is, swap is not kept within reach`;
}
