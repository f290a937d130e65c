// Pressure stall information as the kernel computes it: each CPU by itself, then weighted by the time for which the
// group's tasks were not idle there (kernel/sched/psi.c, test_state and collect_percpu_times).
import type { Random } from "./random.ts";

/** Fractions of a thread's time, runnable and stalled on memory; it sleeps for the rest. */
export interface ThreadTime {
  readonly runnable: number;
  readonly stalled: number;
}

/** Fractions of a period in which some, and in which all, of a group's tasks were stalled. */
export interface GroupStall {
  readonly some: number;
  readonly full: number;
}

/**
 * Computes the stall of each group of threads, and of all together, over one of the kernel's periods (2 s). Each thread
 * runs on the less busy of two random CPUs, which approximates an imperfect scheduler.
 */
export function stallOf(
  groups: readonly (readonly ThreadTime[])[],
  cpuCount: number,
  random: Random,
): { readonly groups: readonly GroupStall[]; readonly all: GroupStall } {
  const load = new Float64Array(cpuCount);
  const total = new CpuTimes(cpuCount);
  const stalls = groups.map((threads) => {
    const own = new CpuTimes(cpuCount);
    for (const thread of threads) {
      const cpu = lessBusyOf(load, random.whole(0, cpuCount - 1), random.whole(0, cpuCount - 1));
      load[cpu] = (load[cpu] ?? 0) + thread.runnable;
      own.add(cpu, thread);
      total.add(cpu, thread);
    }
    return own.stall();
  });
  return { groups: stalls, all: total.stall() };
}

function lessBusyOf(load: Float64Array, a: number, b: number): number {
  return (load[a] ?? 0) <= (load[b] ?? 0) ? a : b;
}

/** States of a group on each CPU, with independent threads. */
class CpuTimes {
  readonly #noneStalled: Float64Array;
  readonly #noneRunnable: Float64Array;
  readonly #allAsleep: Float64Array;

  constructor(cpuCount: number) {
    this.#noneStalled = new Float64Array(cpuCount).fill(1);
    this.#noneRunnable = new Float64Array(cpuCount).fill(1);
    this.#allAsleep = new Float64Array(cpuCount).fill(1);
  }

  add(cpu: number, { runnable, stalled }: ThreadTime): void {
    this.#noneStalled[cpu] = (this.#noneStalled[cpu] ?? 1) * (1 - stalled);
    this.#noneRunnable[cpu] = (this.#noneRunnable[cpu] ?? 1) * (1 - runnable);
    this.#allAsleep[cpu] = (this.#allAsleep[cpu] ?? 1) * Math.max(0, 1 - runnable - stalled);
  }

  stall(): GroupStall {
    let some = 0;
    let full = 0;
    let weight = 0;
    this.#allAsleep.forEach((asleep, cpu) => {
      const nonIdle = 1 - asleep;
      some += (1 - (this.#noneStalled[cpu] ?? 1)) * nonIdle;
      full += ((this.#noneRunnable[cpu] ?? 1) - asleep) * nonIdle;
      weight += nonIdle;
    });
    return weight === 0 ? { some: 0, full: 0 } : { some: some / weight, full: full / weight };
  }
}
