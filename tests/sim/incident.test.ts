import { describe, expect, test } from "bun:test";
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { type Incident, runIncident } from "./incident.ts";
import { Random } from "./random.ts";
import type { ClosedLoopRule } from "./rule.ts";
import { scenarioOf } from "./scenarios.ts";

/** Evicts a pod by name at a moment, once. */
class EvictOnce implements ClosedLoopRule {
  readonly #name: string;
  readonly #atSeconds: number;

  constructor(name: string, atSeconds: number) {
    this.#name = name;
    this.#atSeconds = atSeconds;
  }

  decide({ atSeconds, pods }: Snapshot): string | undefined {
    return atSeconds === this.#atSeconds ? pods.find(({ name }) => name === this.#name)?.uid : undefined;
  }

  answer(): void {}
}

function incident(kind: string, seed: number, rule: ClosedLoopRule = new EvictOnce("", 0)): Incident {
  const random = new Random(seed);
  return runIncident(scenarioOf(kind, random), random, rule);
}

const SEEDS = [1, 2, 3, 4, 5];

describe("the truth of a simulated incident", () => {
  test.each([
    "quiet",
    "many-starts",
    "own-limit",
    "own-high",
    "own-limit-on-full-node",
    "own-high-on-full-node",
    "slow-files",
  ])("%s harms nobody", (kind) => {
    for (const seed of SEEDS) expect(incident(kind, seed).harmSeconds).toBeUndefined();
  });

  test.each(["hog", "hog-beside-burners", "hog-among-low-priority"])(
    "%s harms, and can be relieved",
    (kind) => {
      for (const seed of SEEDS)
        expect(incident(kind, seed)).toMatchObject({ harmSeconds: expect.any(Number), isRelievable: true });
    },
  );

  test("is not relievable where only a pod that may not be evicted would relieve it", () => {
    const hogs = SEEDS.map((seed) => incident("hog-critical", seed));
    expect(hogs.some(({ harmSeconds }) => harmSeconds !== undefined)).toBe(true);
    expect(hogs.map(({ isRelievable }) => isRelievable)).toEqual(SEEDS.map(() => false));
  });

  test("has each of two that grow relieve, though the other fills the node again", () => {
    for (const seed of [1000042, 1000062])
      for (const name of ["hog", "hog-2"])
        expect(incident("two-hogs", seed, new EvictOnce(name, 60)).evictions).toMatchObject([
          { verdict: "right" },
        ]);
  });

  test("distinguishes victims without harm, without relief, and with relief", () => {
    const verdicts = (name: string, atSeconds: number) =>
      incident("hog-among-low-priority", 1, new EvictOnce(name, atSeconds)).evictions.map(
        ({ verdict }) => verdict,
      );
    expect(verdicts("decoy-0", 2)).toEqual(["unharmed"]);
    expect(verdicts("decoy-0", 120)).toEqual(["innocent"]);
    expect(verdicts("hog", 120)).toEqual(["right"]);
  });
});
