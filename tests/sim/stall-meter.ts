import type { Pressure, Stall } from "../../src/policy/eviction/snapshot.ts";
import type { GroupStall } from "./psi.ts";

const MICROSECONDS_PER_SECOND = 1e6;
const AVERAGED_SECONDS = [10, 60, 300];

/** Pressure stall information of a group of tasks from its beginning on, as a file of the kernel shows it. */
export class StallMeter {
  readonly #some: Meter;
  readonly #full: Meter;

  constructor(some: Meter = { totalMicroseconds: 0, averages: [] }, full = some) {
    this.#some = { ...some };
    this.#full = { ...full };
  }

  /** Adds the stall of a second. */
  add(stall: GroupStall): void {
    addTo(this.#some, stall.some);
    addTo(this.#full, stall.full);
  }

  /** Pressure so far. */
  get pressure(): Pressure {
    return { some: shown(this.#some), full: shown(this.#full) };
  }

  /** Returns an independent meter with the same content. */
  copy(): StallMeter {
    return new StallMeter(this.#some, this.#full);
  }
}

interface Meter {
  totalMicroseconds: number;
  /** Percentages over the averaged seconds. */
  averages: readonly number[];
}

// The kernel's averages decay exponentially.
function addTo(meter: Meter, stall: number): void {
  meter.totalMicroseconds += stall * MICROSECONDS_PER_SECOND;
  meter.averages = AVERAGED_SECONDS.map((seconds, index) => {
    const kept = Math.exp(-1 / seconds);
    return (meter.averages[index] ?? 0) * kept + 100 * stall * (1 - kept);
  });
}

function shown({ totalMicroseconds, averages }: Meter): Stall {
  const [avg10Percent = 0, avg60Percent = 0, avg300Percent = 0] = averages;
  return {
    ...{ avg10Percent, avg60Percent, avg300Percent },
    totalMicroseconds: Math.round(totalMicroseconds),
  };
}
