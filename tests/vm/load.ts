/** Pods of the node that do the steps of trace-load.pl, and how they fare. */
import { join } from "node:path";
import type { ClusterNode } from "./cluster-node.ts";
import type { Runtime } from "./container.ts";
import { type Guest, quote } from "./guest.ts";
import type { PodContainer } from "./node-pods.ts";

/** How a pod is loaded. */
export interface LoadSpec {
  readonly name: string;
  readonly requestBytes: number;
  /** Steps of trace-load.pl. */
  readonly steps: readonly string[];
}

/** How long a pod has been stalled until a moment, both in seconds. */
export interface Stall {
  readonly atSeconds: number;
  readonly stalledSeconds: number;
}

// The container's image has no perl: it borrows the node's.
const PERL = ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"];
const PROGRAM = "/usr/local/bin/trace-load.pl";
const FOLDER = "/run/traces";
const MICROSECONDS_PER_SECOND = 1e6;

/** Makes a node ready for loads. */
export async function prepareLoads(guest: Guest): Promise<void> {
  await guest.push(join(import.meta.dir, "trace-load.pl"), PROGRAM);
  await guest.must(`rm --recursive --force ${FOLDER}; mkdir ${FOLDER}`);
}

/** A pod at work. */
export class Load {
  readonly container: PodContainer;
  readonly #guest: Guest;

  private constructor(guest: Guest, container: PodContainer) {
    this.#guest = guest;
    this.container = container;
  }

  /** Starts it. */
  static async start(guest: Guest, node: ClusterNode, runtime: Runtime, spec: LoadSpec): Promise<Load> {
    const { name, requestBytes, steps } = spec;
    const command = ["perl", PROGRAM, name, ...steps].map(quote).join(" ");
    // Chunks of memory that are no mappings of their own would not be given back.
    const script = `export LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu MALLOC_MMAP_THRESHOLD_=131072; exec ${command}`;
    const volumes = [...PERL, `${FOLDER}:${FOLDER}`];
    return new Load(guest, await node.run(runtime, { name, requestBytes, script, volumes }));
  }

  /** Waits until it has come to a step `await:WORD`; throws when it takes too long, or is no more. */
  async untilAwaits(word: string, seconds: number): Promise<void> {
    const { own, pod } = this.container;
    await this.#guest.must(
      `until [ -e ${FOLDER}/${pod.name}.awaits-${word} ]; do
        [ -e ${own.at(-1)} ] || { echo "${pod.name} is gone before it awaits ${word}"; exit 1; } >&2
        (( SECONDS < ${seconds} )) || { echo "${pod.name} does not await ${word}"; exit 1; } >&2
        sleep 0.2
      done`,
      { timeoutSeconds: seconds + 30 },
    );
  }

  /** Tells it the word that it awaits. */
  async tell(word: string): Promise<void> {
    await this.#guest.must(`touch ${FOLDER}/${word}`);
  }

  /** When it came to a step `harm`, in milliseconds since 1970; throws when it has not. */
  async harmMilliseconds(): Promise<number> {
    return Number(await this.#guest.must(`cat ${FOLDER}/${this.container.pod.name}.harm`)) * 1000;
  }

  /** How long its tasks have been stalled for want of memory. */
  async stall(): Promise<Stall> {
    const text = await this.#guest.must(`cat /proc/uptime ${this.container.own.at(-1)}/memory.pressure`);
    const total = text.match(/^some .* total=(\d+)$/m)?.[1];
    return {
      atSeconds: Number.parseFloat(text),
      stalledSeconds: Number(total) / MICROSECONDS_PER_SECOND,
    };
  }

  /** Whether its process still runs. */
  async isRunning(): Promise<boolean> {
    return (
      (await this.#guest.must(`podman inspect --format {{.State.Running}} ${this.container.id}`)) === "true\n"
    );
  }
}

/** The part of the time between two moments for which a pod was stalled, from 0 to 1. */
export function stallShare(from: Stall, to: Stall): number {
  return (to.stalledSeconds - from.stalledSeconds) / (to.atSeconds - from.atSeconds);
}
