import type { EvictionConfig } from "../../src/policy/eviction/decide.ts";
import {
  DEFAULT_THRESHOLDS,
  WASP_AGENT_LIMITS,
  waspAgentThresholds,
} from "../../src/policy/eviction/default-thresholds.ts";
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import type { Threshold } from "../../src/policy/eviction/threshold.ts";
import { Replay } from "../../src/trace/replay.ts";
import type { ClosedLoopRule } from "../sim/rule.ts";
import { KatalystRule } from "./katalyst-rule.ts";
import { OomdRule } from "./oomd-rule.ts";

/** First eviction by a rule. */
export interface Decision {
  readonly atSeconds: number;
  /** Name as in `shop/db-0`; undefined for an unknown pod. */
  readonly victim: string | undefined;
}

/** Rule that decides the time and the victim of an eviction. */
export interface Rule {
  readonly name: string;
  /** Differences from the original, or its parts. */
  readonly note: string;
  readonly decide: (snapshots: readonly Snapshot[]) => Decision | undefined;
}

/** Compared rules. */
export const RULES: readonly Rule[] = [
  {
    name: "wasp",
    note: "the default thresholds",
    decide: (snapshots) => replayed(snapshots, DEFAULT_THRESHOLDS),
  },
  {
    name: "wasp-agent",
    note: "as documented, where pages are pages, with its manifests' limits; victims are ranked as wasp ranks them",
    decide: (snapshots) => replayed(snapshots, waspAgentThresholds(WASP_AGENT_LIMITS)),
  },
  {
    name: "systemd-oomd",
    note: "its defaults, for kubepods.slice and swap; without pgscan, which could only keep it from a decision, and by which it ranks",
    decide: (snapshots) => firstDecision(new OomdRule(), snapshots),
  },
  {
    name: "katalyst",
    note: "the defaults of its system level, for all pods; in recordings without the pods' own stall it decides nothing",
    decide: (snapshots) => firstDecision(new KatalystRule(), snapshots),
  },
];

/** Replays snapshots with these thresholds and the default knobs. */
export function replayOf(
  snapshots: readonly Snapshot[],
  evictionThresholds: readonly Threshold[] = DEFAULT_THRESHOLDS,
): Replay {
  const config: EvictionConfig = {
    ...{ evictionMode: "Enforce", evictionThresholds, trafficWindowSeconds: 30, cooldownSeconds: 60 },
    ...{ victimDeadlineSeconds: 300, maxEvictionsPerHour: 6, lastResort: "None" },
    ...{ excludeNamespaces: ["kube-system", "openshift*"], ownPodUid: undefined },
    ...{ evictionOptOut: "WithinRequests", evictionOptOutNamespaces: ["*"] },
  };
  const replay = new Replay(config);
  for (const snapshot of snapshots) replay.take(snapshot);
  return replay;
}

/** Returns the evictions of a replay, oldest first. */
export function evictionsIn({ phases }: Replay): readonly Decision[] {
  return phases.flatMap(({ fromSeconds, decision }) => {
    if (decision.verdict !== "evict") return [];
    const { namespace, name } = decision.victim.pod;
    return [{ atSeconds: fromSeconds, victim: `${namespace}/${name}` }];
  });
}

function firstDecision(rule: ClosedLoopRule, snapshots: readonly Snapshot[]): Decision | undefined {
  for (const snapshot of snapshots) {
    const uid = rule.decide(snapshot);
    if (uid === undefined) continue;
    const pod = snapshot.pods.find((one) => one.uid === uid);
    return { atSeconds: snapshot.atSeconds, victim: pod && `${pod.namespace}/${pod.name}` };
  }
  return undefined;
}

function replayed(snapshots: readonly Snapshot[], thresholds: readonly Threshold[]): Decision | undefined {
  return evictionsIn(replayOf(snapshots, thresholds))[0];
}
