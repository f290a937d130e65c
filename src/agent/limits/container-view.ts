import type { KubepodsContainer } from "../../host/kubepods.ts";
import type { FoundContainer, LimitFinding, PodIndex } from "../../policy/limits/reconcile.ts";
import type { ContainerView } from "../metrics/view.ts";

/** Returns the view of a container before its first check. */
export function uncheckedView({ containerId, podUid }: KubepodsContainer): ContainerView {
  return {
    id: containerId,
    podUid,
    namespace: undefined,
    pod: undefined,
    container: undefined,
    state: "held",
    reason: "pod-unknown",
    entitledBytes: undefined,
    effectiveBytes: undefined,
    swapUsageBytes: undefined,
  };
}

/** Returns the view of a container after a finding, in the state `held`. */
export function viewOf(found: FoundContainer, finding: LimitFinding): ContainerView {
  const { id, podUid, effectiveBytes, swapUsageBytes } = found;
  const decided = finding.action === "hold" ? undefined : finding;
  return {
    id,
    podUid,
    namespace: finding.pod?.namespace,
    pod: finding.pod?.name,
    container: finding.containerName,
    state: "held",
    reason: finding.action === "hold" ? finding.reason : finding.decision.reason,
    entitledBytes: decided?.wantedBytes,
    effectiveBytes,
    swapUsageBytes,
  };
}

/** Returns a container's names by its pod, for a container whose figures could not be read. */
export function namesIn(
  pods: PodIndex,
  { podUid, containerId }: KubepodsContainer,
): Pick<ContainerView, "namespace" | "pod" | "container"> {
  const pod = pods.get(podUid);
  const container = pod?.containers.find(({ id }) => id === containerId);
  return { namespace: pod?.namespace, pod: pod?.name, container: container?.name };
}
