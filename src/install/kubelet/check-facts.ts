import type { EffectiveKubelet } from "./effective.ts";

/** A container runtime that a kubelet uses. */
export type ContainerRuntime = "cri-o" | "containerd";

/** Facts about the kubelet and its runtime for the rules; undefined where the host is known not to have a thing. */
export interface KubeletCheckFacts {
  readonly kubelet: EffectiveKubelet | undefined;
  /** The pid of the running kubelet. */
  readonly kubeletPid: number | undefined;
  readonly runtime: ContainerRuntime | undefined;
}
