import { describe, expect, test } from "bun:test";
import { DEFAULT_THRESHOLDS } from "../../src/policy/eviction/default-thresholds.ts";
import { type Incident, runIncident } from "./incident.ts";
import { Random } from "./random.ts";
import { KINDS, scenarioOf } from "./scenarios.ts";
import { WaspRule } from "./wasp-rule.ts";

const NODES_PER_KIND = 6;
const RIGHT_WITHIN_SECONDS = 60;

const incidents = new Map(KINDS.map((kind) => [kind, incidentsOf(kind)]));

function incidentsOf(kind: string): readonly Incident[] {
  return Array.from({ length: NODES_PER_KIND }, (_, seed) => {
    const random = new Random(7919 * (seed + 1));
    return runIncident(scenarioOf(kind, random), random, new WaspRule(DEFAULT_THRESHOLDS));
  });
}

describe("on simulated nodes, wasp", () => {
  test.each([
    "quiet",
    "own-limit",
    "own-high",
    "own-limit-on-full-node",
    "own-high-on-full-node",
    "migration",
    "many-starts",
    "old-full-swap",
    "slow-files",
    // Who would relieve the others may not go: nobody goes.
    "hog-in-excluded-namespace",
    "hog-critical",
  ])("evicts nobody where that ends no harm: %s", (kind) => {
    const evictions = incidents.get(kind)?.flatMap((incident) => incident.evictions) ?? [];
    expect(evictions.filter(({ verdict }) => verdict !== "right")).toEqual([]);
  });

  test.each(KINDS)("evicts at most one who does not relieve: %s", (kind) => {
    for (const { evictions } of incidents.get(kind) ?? [])
      expect(evictions.filter(({ verdict }) => verdict === "innocent").length).toBeLessThanOrEqual(1);
  });

  test.each(["hog", "hog-among-low-priority", "hog-and-quiet-swapper", "hog-beside-burners", "bursts"])(
    "evicts who relieves, first and in time: %s",
    (kind) => {
      const harmful = (incidents.get(kind) ?? []).filter(
        ({ harmSeconds, isRelievable }) => harmSeconds !== undefined && isRelievable,
      );
      expect(harmful.length).toBeGreaterThanOrEqual(NODES_PER_KIND / 2);
      const first = harmful.flatMap(({ harmSeconds = 0, evictions: [eviction] }) =>
        eviction === undefined ? [] : [{ ...eviction, delaySeconds: eviction.atSeconds - harmSeconds }],
      );
      for (const { victim, delaySeconds } of first) {
        expect(victim).toBe("hog");
        expect(delaySeconds).toBeLessThan(RIGHT_WITHIN_SECONDS);
      }
      expect(first).toHaveLength(harmful.length);
    },
  );

  test.each(KINDS)("ends its evictions: %s", (kind) => {
    for (const { evictions } of incidents.get(kind) ?? [])
      expect(evictions.filter(({ isAccepted }) => isAccepted).length).toBeLessThanOrEqual(3);
  });
});
