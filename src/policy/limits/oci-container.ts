import { isHashUid, isStaticSource } from "../kubernetes/pod.ts";
import { type PodCgroup, parsePodCgroup } from "../kubernetes/pod-cgroup.ts";
import { parseQuantity } from "../kubernetes/quantity.ts";
import type { Container, LeaveReason, NodeCapacity } from "./container.ts";
import { GUARANTEED_OOM_SCORE_ADJ, invertOomScoreAdj, type MemoryRequest } from "./oom-score-adj.ts";
import { swapOverrideOf } from "./swap-override.ts";

/** Map of strings from a runtime, unchecked: a value of another type counts as absent. */
export type StringMap = Readonly<Record<string, unknown>>;

/** Container as an OCI runtime's config.json, or NRI, describes it. */
export interface OciContainer {
  readonly cgroupsPath: string | undefined;
  readonly oomScoreAdj: number | undefined;
  readonly annotations: StringMap;
  /** `linux.resources.memory.limit` in bytes; absent, 0 or negative without a limit. */
  readonly memoryLimitBytes: number | undefined;
  /** `linux.resources.unified`, by cgroup v2 file name. */
  readonly unified: StringMap;
}

/** Container that a swap decision can be made for, or the reason for which there is none to make. */
export type Classification =
  | { readonly container: Container; readonly cgroup: PodCgroup }
  | { readonly leave: LeaveReason };

/**
 * Classifies a container by its OCI config: the QoS class by the path of its cgroup, the memory request by its
 * oom_score_adj, the pod by the annotations of CRI-O and containerd.
 *
 * The request is a lower bound with these exceptions, which no OCI config shows: a sidecar that requests less than each
 * regular container of its pod, and a container of a pod whose own (pod-level) memory request exceeds the sum of its
 * containers' (kubernetes pkg/kubelet/qos/policy.go:77-108); and a pod whose priority is critical without being
 * system-node-critical is not recognized.
 */
export function classifyOciContainer(oci: OciContainer, node: NodeCapacity): Classification {
  const cgroup = oci.cgroupsPath === undefined ? undefined : parsePodCgroup(oci.cgroupsPath);
  if (cgroup === undefined) return { leave: "not-kubernetes" };
  if (isSandbox(oci.annotations)) return { leave: "sandbox" };
  const owner = ownerOfSpecLimit(oci, cgroup);
  if (owner !== undefined) return { leave: owner };

  const identity = podIdentityOf(oci.annotations);
  const container: Container = {
    namespace: identity.namespace,
    qosClass: cgroup.qosClass,
    isStatic:
      isHashUid(cgroup.podUid) || isStaticSource(stringAt(oci.annotations, "kubernetes.io/config.source")),
    // Only node-critical pods are recognizable: other critical ones get the formula (pkg/kubelet/qos/policy.go:46-49).
    isCritical: cgroup.qosClass === "Burstable" && oci.oomScoreAdj === GUARANTEED_OOM_SCORE_ADJ,
    isVirtualMachine: stringAt(oci.annotations, "kubevirt.io/domain") !== undefined,
    memoryRequest: memoryRequestOf(oci, node),
    memoryLimitBytes: memoryLimitOf(oci),
    swapOverride: swapOverrideOf(oci.annotations, identity.container),
  };
  return { container, cgroup };
}

/** Namespace, pod and name of a container, as far as its annotations have them. */
export interface PodIdentity {
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
}

/** Reads namespace, pod and container name from the annotations of CRI-O or containerd. */
export function podIdentityOf(annotations: StringMap): PodIdentity {
  return {
    namespace: stringAt(annotations, "io.kubernetes.pod.namespace", "io.kubernetes.cri.sandbox-namespace"),
    pod: stringAt(annotations, "io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name"),
    container: stringAt(annotations, "io.kubernetes.container.name", "io.kubernetes.cri.container-name"),
  };
}

function isSandbox(annotations: StringMap): boolean {
  return (
    stringAt(annotations, "io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri.container-type") ===
    "sandbox"
  );
}

/**
 * Annotation in which wasp's NRI plugin repeats the swap limit that it puts into a container's spec: the hook comes
 * later. A pod that writes it itself changes no limit, but the reason in the hook's log.
 */
export const NRI_SWAP_ANNOTATION = "wasp.io/nri-swap-max";

/** Returns the owner of a swap limit in the spec itself; undefined for no limit, or 0, which any kubelet writes. */
function ownerOfSpecLimit(oci: OciContainer, { qosClass }: PodCgroup): LeaveReason | undefined {
  const limit = stringAt(oci.unified, "memory.swap.max")?.trim();
  if (limit === undefined || limit === "0") return undefined;
  if (limit === stringAt(oci.annotations, NRI_SWAP_ANNOTATION)) return "nri-limit";
  const isKubelets = qosClass === "Burstable" && limit !== "max";
  return isKubelets ? "kubelet-limited-swap" : "limit-in-spec";
}

function memoryLimitOf(oci: OciContainer): number | undefined {
  return oci.memoryLimitBytes !== undefined && oci.memoryLimitBytes > 0 ? oci.memoryLimitBytes : undefined;
}

/**
 * Reads the request that the kubelet's MemoryQoS writes (kuberuntime_container_linux.go:154-169). It is accepted up to
 * the end of the interval that oom_score_adj allows, because a sidecar's or pod-level request makes that interval too
 * high.
 */
function memoryRequestOf(oci: OciContainer, node: NodeCapacity): MemoryRequest {
  const interval =
    oci.oomScoreAdj === undefined ? undefined : invertOomScoreAdj(oci.oomScoreAdj, node.memoryTotalBytes);
  const protection = stringAt(oci.unified, "memory.min", "memory.low");
  const exactBytes = protection === undefined ? undefined : parseQuantity(protection);
  const known = interval ?? { lowBytes: 0, highBytes: node.memoryTotalBytes };
  if (exactBytes !== undefined && exactBytes > 0 && exactBytes <= known.highBytes) {
    return { lowBytes: exactBytes, highBytes: exactBytes };
  }
  return known;
}

function stringAt(map: StringMap, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = map[key];
    if (typeof value === "string") return value;
  }
  return undefined;
}
