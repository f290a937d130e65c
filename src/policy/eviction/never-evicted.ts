import { matchesNamespace } from "../kubernetes/namespace.ts";
import { isCriticalPod, isStaticPod, isVirtualMachinePod, type Pod } from "../kubernetes/pod.ts";

/** Cases in which the annotation `wasp.io/evict: "false"` keeps a pod from being evicted. */
export const EVICTION_OPT_OUTS = ["Never", "WithinRequests", "Always"] as const;

/** Reason for which a pod is never evicted. */
export type NeverEvictedReason =
  | "static"
  | "critical"
  | "terminating"
  | "finished"
  | "excluded-namespace"
  /** The pod is the agent's own. */
  | "own-pod"
  /** The pod's annotation `wasp.io/evict` is "false", and holds. */
  | "opted-out"
  /** KubeVirt is already migrating the pod's virtual machine. */
  | "migrating";

/** Knobs of the choice of a victim. */
export interface VictimConfig {
  readonly excludeNamespaces: readonly string[];
  /** UID of the agent's own pod; undefined outside a pod. */
  readonly ownPodUid: string | undefined;
  /** WithinRequests: the annotation holds while the pod's usage, swap included, is within its requests. */
  readonly evictionOptOut: (typeof EVICTION_OPT_OUTS)[number];
  /** Namespaces in which the annotation holds at all; a trailing `*` matches any ending. */
  readonly evictionOptOutNamespaces: readonly string[];
}

/** Usage and requests of a pod in bytes, swap included; undefined if unknown. */
export interface PodUsage {
  readonly usageBytes: number | undefined;
  readonly requestBytes: number | undefined;
}

/** Returns the first reason for which a pod is never evicted at this usage; undefined for a candidate. */
export function neverEvictedReason(
  pod: Pod,
  usage: PodUsage,
  config: VictimConfig,
): NeverEvictedReason | undefined {
  if (isStaticPod(pod)) return "static";
  if (isCriticalPod(pod)) return "critical";
  if (pod.uid === config.ownPodUid) return "own-pod";
  if (pod.isTerminating) return "terminating";
  if (pod.phase === "Succeeded" || pod.phase === "Failed") return "finished";
  if (matchesNamespace(pod.namespace, config.excludeNamespaces)) return "excluded-namespace";
  if (hasOptedOut(pod, usage, config)) return "opted-out";
  return isMigrating(pod) ? "migrating" : undefined;
}

/** Returns true if a pod is never evicted because it is already leaving: deleted, or being migrated. */
export function isLeaving(reason: NeverEvictedReason | undefined): boolean {
  return reason === "terminating" || reason === "migrating";
}

// Anyone who may create a pod may annotate it: a pod over its requests uses memory that others were promised.
function hasOptedOut(
  pod: Pod,
  { usageBytes, requestBytes }: PodUsage,
  { evictionOptOut, evictionOptOutNamespaces }: VictimConfig,
): boolean {
  if (pod.annotations["wasp.io/evict"] !== "false" || evictionOptOut === "Never") return false;
  if (!matchesNamespace(pod.namespace, evictionOptOutNamespaces)) return false;
  if (evictionOptOut === "Always" || usageBytes === undefined || requestBytes === undefined) return true;
  return usageBytes <= requestBytes;
}

// kubevirt pkg/virt-controller/watch/descheduler/descheduler.go:36-49
const EVACUATION_ANNOTATION = "descheduler.alpha.kubernetes.io/eviction-in-progress";

// Anyone may write the annotation, but only KubeVirt migrates a pod.
function isMigrating(pod: Pod): boolean {
  return EVACUATION_ANNOTATION in pod.annotations && isVirtualMachinePod(pod);
}
