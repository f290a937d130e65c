/** The simulated node behaves as the guest did: the same loads on both give alike signals. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { STALLED_FRACTION } from "../../src/policy/eviction/harm.ts";
import { NO_SIGNAL_HISTORY, observe, type SignalHistory } from "../../src/policy/eviction/observe.ts";
import type { Observation } from "../../src/policy/eviction/signals.ts";
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { readRecording } from "../../src/trace/recording-file.ts";
import { ROOT } from "../node/binary.ts";
import { counterpartOf } from "./guest-counterparts.ts";

const TRACES = `${ROOT}/tests/fixtures/traces`;
const RECORDINGS = readdirSync(TRACES)
  .filter((file) => file.endsWith(".jsonl.gz"))
  .map((file) => file.replace(".jsonl.gz", ""));
const SEED = 3;
const KNOBS = { trafficWindowSeconds: 30 };
// Below this, pages move on any node; and a cause of few seconds is not that of the stall.
const MOVING_PAGES_PER_SECOND = 500;
const CAUSE_SECONDS = 5;
// Until then, the guest's pods read back some of what was swapped out before the recording.
const SETTLED_SECONDS = 3;

/** Signals of a node in the course of a load. */
interface Course {
  readonly isHarmed: boolean;
  /** Causes of the stall, each for some seconds. */
  readonly causes: readonly string[];
  readonly stalledSeconds: number;
  readonly mostStall: number;
  /** Used fraction of swap at the end. */
  readonly swapUsed: number;
  readonly swapInPagesPerSecond: number;
  readonly swapOutPagesPerSecond: number;
}

/** Observes a node, snapshot by snapshot. */
class Observer {
  readonly #observations: Observation[] = [];
  #history: SignalHistory = NO_SIGNAL_HISTORY;

  take(snapshot: Snapshot): void {
    const { observation, history } = observe(this.#history, snapshot, KNOBS);
    this.#history = history;
    this.#observations.push(observation);
  }

  course(): Course {
    const all = this.#observations.slice(SETTLED_SECONDS);
    const most = (signal: (observation: Observation) => number | undefined) =>
      Math.max(...all.map((observation) => signal(observation) ?? 0));
    const stalled = all.filter(({ stall = 0 }) => stall >= STALLED_FRACTION);
    const causes = Map.groupBy(stalled, ({ pressureCause }) => pressureCause ?? "none");
    return {
      isHarmed: most(({ harm }) => harm) >= 1,
      causes: [...causes].flatMap(([cause, { length }]) => (length >= CAUSE_SECONDS ? [cause] : [])).sort(),
      stalledSeconds: stalled.length,
      mostStall: most(({ stall }) => stall),
      swapUsed: all.at(-1)?.swapUtilization ?? 0,
      swapInPagesPerSecond: most((observation) => observation.swapInPagesPerSecond),
      swapOutPagesPerSecond: most((observation) => observation.swapOutPagesPerSecond),
    };
  }
}

async function recorded(name: string): Promise<Course> {
  const observer = new Observer();
  await readRecording(`${TRACES}/${name}.jsonl.gz`, (snapshot) => observer.take(snapshot));
  return observer.course();
}

function simulated(name: string): Course {
  const { next, seconds } = counterpartOf(name, SEED);
  const observer = new Observer();
  for (let second = 0; second < seconds; second += 1) observer.take(next().snapshot());
  return observer.course();
}

function expectAlikeRates(simulated: number, recorded: number): void {
  const [low, high] = [simulated, recorded]
    .map((rate) => Math.max(rate, MOVING_PAGES_PER_SECOND))
    .sort((a, b) => a - b);
  expect((high ?? 0) / (low ?? 1)).toBeLessThan(4);
}

describe("a simulated node has alike signals under the load of the recording", () => {
  test.each(RECORDINGS)("%s", async (name) => {
    const guest = await recorded(name);
    const node = simulated(name.replace("-again", ""));
    expect(node.isHarmed).toBe(guest.isHarmed);
    if (guest.causes.length > 0) expect(node.causes).toEqual(guest.causes);
    expect(Math.abs(node.stalledSeconds - guest.stalledSeconds)).toBeLessThan(15);
    expect(Math.abs(node.mostStall - guest.mostStall)).toBeLessThan(0.4);
    expect(Math.abs(node.swapUsed - guest.swapUsed)).toBeLessThan(0.1);
    expectAlikeRates(node.swapInPagesPerSecond, guest.swapInPagesPerSecond);
    expectAlikeRates(node.swapOutPagesPerSecond, guest.swapOutPagesPerSecond);
  });
});
