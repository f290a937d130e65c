/** Pods that run the steps of trace-load.pl, and their memory stalls. */
import { join } from "node:path";
import type { ClusterNode } from "./cluster-node.ts";
import type { Runtime } from "./container.ts";
import { scaledSeconds } from "./deadline.ts";
import { type Guest, quote } from "./guest.ts";
import type { PodContainer } from "./node-pods.ts";

/** Settings of a load. */
export interface LoadSpec {
  readonly name: string;
  /** Namespace of the pod; by default the one whose pods the fake API server serves individually. */
  readonly namespace?: string;
  readonly requestBytes: number;
  /** Steps of trace-load.pl. */
  readonly steps: readonly string[];
}

/** Total memory stall of a pod at a moment, both in seconds. */
export interface Stall {
  readonly atSeconds: number;
  readonly stalledSeconds: number;
}

// The container's image has no perl, so it uses the node's.
const PERL = ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"];
const PROGRAM = "/usr/local/bin/trace-load.pl";
const FOLDER = "/run/traces";
const MIB = 2 ** 20;
const MICROSECONDS_PER_SECOND = 1e6;

/** Copies the load program to the node, and reads perl into the page cache outside of the pods. */
export async function prepareLoads(guest: Guest): Promise<void> {
  await guest.push(join(import.meta.dir, "trace-load.pl"), PROGRAM);
  await guest.must(`rm --recursive --force ${FOLDER}; mkdir ${FOLDER}`);
  // The cgroup that reads perl's pages first is charged for them: in a pod they would be reclaimed under pressure.
  await guest.must(`perl -c ${PROGRAM}`);
}

/** A pod under load. */
export class Load {
  readonly container: PodContainer;
  readonly #guest: Guest;

  private constructor(guest: Guest, container: PodContainer) {
    this.#guest = guest;
    this.container = container;
  }

  /** Starts the pod. */
  static async start(guest: Guest, node: ClusterNode, runtime: Runtime, spec: LoadSpec): Promise<Load> {
    const { steps, ...pod } = spec;
    const command = ["perl", PROGRAM, pod.name, ...steps].map(quote).join(" ");
    // Only chunks that are separate mappings are returned to the kernel when they are freed.
    const script = `export LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu MALLOC_MMAP_THRESHOLD_=131072; exec ${command}`;
    const volumes = [...PERL, `${FOLDER}:${FOLDER}`];
    return new Load(guest, await node.run(runtime, { ...pod, script, volumes }));
  }

  /** Waits until the pod reaches a step `await:WORD`; throws after a time-out, or when the pod has ended. */
  async untilAwaits(word: string, seconds: number): Promise<void> {
    const { own, pod } = this.container;
    await this.#guest.must(
      `until [ -e ${FOLDER}/${pod.name}.awaits-${word} ]; do
        [ -e ${own.at(-1)} ] || { echo "${pod.name} has ended before it awaits ${word}"; exit 1; } >&2
        (( SECONDS < ${scaledSeconds(seconds)} )) || { echo "${pod.name} does not await ${word}"; exit 1; } >&2
        sleep 0.2
      done`,
      { timeoutSeconds: seconds + 30 },
    );
  }

  /** Lets the kernel swap out the pod's memory until so many MiB are in swap; throws after a time-out. */
  async swapOut(mib: number, seconds: number): Promise<void> {
    const { own, pod } = this.container;
    await this.#guest.must(
      `cd ${own.at(-1)}
      until (( $(cat memory.swap.current) >= ${Math.floor(mib * MIB)} )); do
        (( SECONDS < ${scaledSeconds(seconds)} )) || { echo "${pod.name} is not swapped out"; exit 1; } >&2
        # It fails when less could be reclaimed at once.
        echo 8M > memory.reclaim || true
      done`,
      { timeoutSeconds: seconds + 30 },
    );
  }

  /** Sends the word that the pod awaits. */
  async send(word: string): Promise<void> {
    await this.#guest.must(`touch ${FOLDER}/${word}`);
  }

  /** Returns the time of the step `harm`, in milliseconds since 1970; throws if it was not reached. */
  async harmMilliseconds(): Promise<number> {
    return Number(await this.#guest.must(`cat ${FOLDER}/${this.container.pod.name}.harm`)) * 1000;
  }

  /** Reads the total memory stall of the pod's tasks. */
  async stall(): Promise<Stall> {
    const text = await this.#guest.must(`cat /proc/uptime ${this.container.own.at(-1)}/memory.pressure`);
    const total = text.match(/^some .* total=(\d+)$/m)?.[1];
    return {
      atSeconds: Number.parseFloat(text),
      stalledSeconds: Number(total) / MICROSECONDS_PER_SECOND,
    };
  }

  /** Returns true if the pod's process is running. */
  async isRunning(): Promise<boolean> {
    return (
      (await this.#guest.must(`podman inspect --format {{.State.Running}} ${this.container.id}`)) === "true\n"
    );
  }
}

/** Returns the stalled part of the time between two moments, from 0 to 1. */
export function stallShare(from: Stall, to: Stall): number {
  return (to.stalledSeconds - from.stalledSeconds) / (to.atSeconds - from.atSeconds);
}
