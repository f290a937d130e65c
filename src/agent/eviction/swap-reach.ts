import { MemoryHigh } from "../../host/memory-high.ts";
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
import type { Reporter } from "../metrics/reporter.ts";

/** Options of a SwapReach. */
export interface SwapReachOptions {
  /** Returns the directories of the kubepods cgroups of cgroup v2; snapshots are of the first. */
  readonly directories: () => readonly string[];
  readonly config: () => ReachConfig & { readonly maxRestoresPerMinute: number };
  readonly reporter: Reporter;
}

/** Keeps memory.high of kubepods where policy wants it, so that the kernel swaps before the kubelet evicts. */
export class SwapReach {
  readonly #options: SwapReachOptions;
  #directory: string | undefined;
  #memoryHigh: MemoryHigh | undefined;
  #state: ReachState = NO_REACH;
  #decision: ReachDecision | undefined;
  #contest = UNCONTESTED;
  /** memory.high as wasp last read or wrote it; undefined before that. */
  #inForceBytes: number | undefined;

  constructor(options: SwapReachOptions) {
    this.#options = options;
  }

  /** Last decision; undefined while none is made. */
  get decision(): ReachDecision | undefined {
    return this.#decision;
  }

  /** Returns true if the next snapshot needs each container's figures. */
  needsContainers(nowSeconds: number): boolean {
    return needsContainers(this.#state, nowSeconds);
  }

  /** Decides on a snapshot, and begins to write the decision. Never throws. */
  take(snapshot: Snapshot): void {
    const [directory] = this.#options.directories();
    if (directory === undefined || snapshot.kubepods === undefined || this.#memoryHigh?.isBusy) return;
    try {
      const memoryHigh = this.#adopt(directory, snapshot.kubepods.memoryHighBytes);
      if (memoryHigh === undefined) return;
      const { decision, state } = decideMemoryHigh(this.#state, snapshot, this.#options.config());
      this.#state = state;
      this.#logChange(decision, snapshot.node.swapFreeBytes);
      this.#decision = decision;
      void this.#keep(memoryHigh, decision, snapshot.kubepods.memoryHighBytes, snapshot.atSeconds);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** Sets memory.high back to `max` if this agent or an earlier one has set it. Never fails. */
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
      this.#fail(error as Error);
    }
  }

  /** Resumes the state of an earlier agent; returns undefined if another process has set memory.high. */
  #adopt(directory: string, inForceBytes: number): MemoryHigh | undefined {
    if (directory === this.#directory) return this.#memoryHigh;
    const memoryHigh = new MemoryHigh(directory);
    const isOwn = inForceBytes === Number.POSITIVE_INFINITY || memoryHigh.isOwn();
    if (!isOwn) {
      this.#options.reporter.begin("swap-reach-left", foreignLimit(directory, inForceBytes));
      return undefined;
    }
    this.#options.reporter.end("swap-reach-left");
    this.#directory = directory;
    this.#memoryHigh = memoryHigh;
    this.#state = { ...NO_REACH, memoryHighBytes: inForceBytes };
    this.#inForceBytes = inForceBytes;
    this.#contest = UNCONTESTED;
    return memoryHigh;
  }

  // With both figures it shows that swap is free, and that pods cannot use it: by their limits, or because of what they hold.
  #logChange({ reason, memoryHighBytes }: ReachDecision, swapFreeBytes: number): void {
    if (reason === this.#decision?.reason) return;
    const figures = { memoryHighBytes, swapFreeBytes, swappableBytes: this.#state.pods?.leftBytes };
    if (reason === "held") this.#options.reporter.log("swap-reach-held", figures);
    else this.#options.reporter.log("swap-reach-released", { reason, ...figures });
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
      if (isUndone) this.#options.reporter.log("swap-reach-restored", { inForceBytes, memoryHighBytes });
      this.#options.reporter.end("swap-reach-failed");
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #fail({ message }: Error): void {
    this.#options.reporter.begin("swap-reach-failed", message);
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
  return `${directory}/memory.high is ${bytes}, which wasp has not set: wasp leaves it, and the kubelet may evict before the kernel swaps`;
}
