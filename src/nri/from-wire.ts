import type { Unified } from "../policy/memory-qos/files.ts";
import { type Container, type LinuxResources, type PodSandbox, ContainerState as State } from "./api_pb.ts";
import type { ContainerUpdate, NriContainer, NriPod } from "./handlers.ts";

const STATES = new Map<number, NriContainer["state"]>([
  [State.CONTAINER_CREATED, "created"],
  [State.CONTAINER_PAUSED, "paused"],
  [State.CONTAINER_RUNNING, "running"],
  [State.CONTAINER_STOPPED, "stopped"],
]);

/** Converts the message of a pod. */
export function podOf(message: PodSandbox): NriPod {
  const { id, name, namespace, uid, labels, annotations } = message;
  return { id, name, namespace, uid, labels, annotations };
}

/** Converts the message of a container. */
export function containerOf(message: Container): NriContainer {
  const { id, podSandboxId, name, state, linux } = message;
  return {
    id,
    podId: podSandboxId,
    name,
    state: STATES.get(state) ?? "unknown",
    memoryLimitBytes: memoryLimitOf(linux?.resources),
    oomScoreAdj: linux?.oomScoreAdj === undefined ? undefined : Number(linux.oomScoreAdj.value),
    cgroupsPath: linux?.cgroupsPath ?? "",
    unified: linux?.resources?.unified ?? {},
  };
}

/** Returns the memory limit in bytes, undefined for none: runtimes also write 0 or -1 for that. */
export function memoryLimitOf(resources: LinuxResources | undefined): number | undefined {
  const limitBytes = Number(resources?.memory?.limit?.value ?? 0n);
  return limitBytes > 0 ? limitBytes : undefined;
}

/** Returns the resources of an adjustment or an update. */
export function resourcesOf(unified: Unified): { linux: { resources: { unified: Record<string, string> } } } {
  return { linux: { resources: { unified: { ...unified } } } };
}

/** Returns the message of a container's update. */
export function updateOf({ containerId, unified }: ContainerUpdate) {
  return { containerId, ...resourcesOf(unified) };
}
