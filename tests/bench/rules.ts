import type { EvictionConfig } from "../../src/policy/eviction/decide.ts";
import {
  DEFAULT_THRESHOLDS,
  WASP_AGENT_LIMITS,
  waspAgentThresholds,
} from "../../src/policy/eviction/default-thresholds.ts";
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import type { Threshold } from "../../src/policy/eviction/threshold.ts";
import { Replay } from "../../src/trace/replay.ts";
import { decideAsOomd } from "./oomd-rule.ts";

/** The first time that a rule would have sent a pod away. */
export interface Decision {
  readonly atSeconds: number;
  /** As in `shop/db-0`; undefined where it would have been nobody that is known. */
  readonly victim: string | undefined;
}

/** A rule of when to send a pod away, and which. */
export interface Rule {
  readonly name: string;
  /** In what it is other than the original, or what it is made of. */
  readonly note: string;
  readonly decide: (snapshots: readonly Snapshot[]) => Decision | undefined;
}

/** The rules that are compared. */
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
    decide: decideAsOomd,
  },
];

function replayed(
  snapshots: readonly Snapshot[],
  evictionThresholds: readonly Threshold[],
): Decision | undefined {
  const config: EvictionConfig = {
    ...{ evictionMode: "Enforce", evictionThresholds, trafficWindowSeconds: 30, cooldownSeconds: 60 },
    ...{ victimDeadlineSeconds: 300, maxEvictionsPerHour: 6, lastResort: "None" },
    ...{ excludeNamespaces: ["kube-system", "openshift*"], ownPodUid: undefined },
  };
  const replay = new Replay(config);
  for (const snapshot of snapshots) replay.take(snapshot);
  for (const { fromSeconds, decision } of replay.phases) {
    if (decision.verdict !== "evict") continue;
    const { namespace, name } = decision.victim.pod;
    return { atSeconds: fromSeconds, victim: `${namespace}/${name}` };
  }
  return undefined;
}
