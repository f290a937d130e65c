import { matchesNamespace } from "../../src/policy/kubernetes/namespace.ts";
import { isCriticalPod } from "../../src/policy/kubernetes/pod.ts";
import { CERTAIN_HARM, HARM_SECONDS, HarmLog, POSSIBLE_HARM, relievers } from "./harm.ts";
import { SimulatedNode } from "./node.ts";
import { type RunningPod, resident, swapped } from "./pod.ts";
import type { Random } from "./random.ts";
import type { ClosedLoopRule } from "./rule.ts";
import { PAGE_BYTES } from "./samples.ts";
import type { Scenario } from "./scenarios.ts";

/** An eviction by a rule, judged by the relief that it brings. */
export interface SimulatedEviction {
  readonly atSeconds: number;
  readonly victim: string;
  /** `right`: its removal relieves others; `innocent`: it does not; `unharmed`: no pod was harmed. */
  readonly verdict: "right" | "innocent" | "unharmed";
  /** True if the API server accepted the eviction. */
  readonly isAccepted: boolean;
}

/** Outcome of a scenario under a rule. */
export interface Incident {
  readonly kind: string;
  /** Start of the first certain harm that lasted, or that an eviction ended; undefined without. */
  readonly harmSeconds: number | undefined;
  /** True if the removal of an evictable pod would have relieved it. */
  readonly isRelievable: boolean;
  readonly evictions: readonly SimulatedEviction[];
}

const EXCLUDED_NAMESPACES = ["kube-system", "openshift*"];
// A decision within this time after the end of harm is still about that harm.
const STALE_SECONDS = 3;
// Harm that is over by itself before an eviction could end it needs none.
const LASTING_SECONDS = 20;

/** Runs a scenario to its end under a rule, whose evictions change how it goes on. */
export function runIncident(scenario: Scenario, random: Random, rule: ClosedLoopRule): Incident {
  const node = new SimulatedNode(scenario.plan, random);
  const [harm, possible] = [new HarmLog(CERTAIN_HARM), new HarmLog(POSSIBLE_HARM)];
  const evictions: SimulatedEviction[] = [];
  let harmSeconds: number | undefined;
  let isRelievable = false;
  while (node.atSeconds < scenario.seconds) {
    node.tick();
    harm.take(node);
    possible.take(node);
    const uid = rule.decide(node.snapshot());
    const pod = node.pods.find(({ plan }) => plan.pod.uid === uid);
    const isHarmed = node.atSeconds - harm.lastSeconds <= STALE_SECONDS;
    const hasLasted = pod !== undefined || harm.lastedSeconds >= LASTING_SECONDS;
    if (harmSeconds === undefined && isHarmed && hasLasted) {
      harmSeconds = harm.beganAtSeconds;
      isRelievable = rightVictims(node).length > 0;
    }
    if (pod === undefined) continue;
    evictions.push(judge(node, pod, possible));
    const { answer } = pod.plan;
    if (answer === "accepted" || answer === "evacuating") node.delete(pod.plan.pod.uid);
    rule.answer(pod.plan.pod.uid, answer);
  }
  return { kind: scenario.kind, harmSeconds, isRelievable, evictions };
}

function judge(node: SimulatedNode, pod: RunningPod, harm: HarmLog): SimulatedEviction {
  const isHarmed = node.atSeconds - harm.lastSeconds <= STALE_SECONDS || isHarmBeginning(node, harm);
  const verdict = !isHarmed ? "unharmed" : rightVictims(node).includes(pod) ? "right" : "innocent";
  const { answer, pod: kubernetesPod } = pod.plan;
  return {
    atSeconds: node.atSeconds,
    victim: kubernetesPod.name,
    verdict,
    isAccepted: answer === "accepted" || answer === "evacuating",
  };
}

/** Returns true if harm that has begun is recognized later, were no pod evicted. */
function isHarmBeginning(node: SimulatedNode, harm: HarmLog): boolean {
  const { atSeconds } = node;
  const [ahead, log] = [node.copy(), harm.copy()];
  while (ahead.atSeconds < atSeconds + HARM_SECONDS) {
    ahead.tick();
    log.take(ahead);
  }
  return log.lastSeconds > atSeconds && (log.beganAtSeconds ?? atSeconds) < atSeconds;
}

// Of the pods that would help, those over their requests go first. Where these may not be evicted, nobody else is to be.
function rightVictims(node: SimulatedNode): readonly RunningPod[] {
  const helping = relievers(node);
  const over = helping.filter(isOverRequest);
  return (over.length > 0 ? over : helping).filter(mayBeEvicted);
}

function mayBeEvicted({ plan }: RunningPod): boolean {
  return !isCriticalPod(plan.pod) && !matchesNamespace(plan.pod.namespace, EXCLUDED_NAMESPACES);
}

function isOverRequest({ plan, regions }: RunningPod): boolean {
  const usedBytes = (resident(regions) + swapped(regions)) * PAGE_BYTES;
  return usedBytes > plan.pod.containers.reduce((sum, { memoryRequestBytes }) => sum + memoryRequestBytes, 0);
}
