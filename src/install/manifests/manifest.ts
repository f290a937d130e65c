import type { KubeletConfigPatch } from "../kubelet/config-patch.ts";
import type { IgnitionConfig } from "./ignition.ts";

/** An object for the API server. */
export interface Manifest {
  /** What it is for, in a line that stands above it. */
  readonly comment: string;
  readonly object: MachineConfig | KubeletConfig | PlainObject;
}

/** The manifests that make the workers of a cluster ready; or why there are none. */
export type Manifests =
  | { readonly manifests: readonly Manifest[] }
  | { readonly refusals: readonly string[] };

/** An object of Kubernetes itself, whose schema the tests hold it against. */
export interface PlainObject {
  readonly apiVersion: "v1" | "apps/v1";
  readonly kind: "Namespace" | "DaemonSet";
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec?: object;
}

interface NamedObject {
  readonly apiVersion: "machineconfiguration.openshift.io/v1";
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

/** What OpenShift's machine config operator makes of each node of a pool. */
export interface MachineConfig extends NamedObject {
  readonly kind: "MachineConfig";
  readonly spec: { readonly config?: IgnitionConfig; readonly kernelArguments?: readonly string[] };
}

/** What the machine config operator makes of the kubelets of a pool. */
export interface KubeletConfig extends NamedObject {
  readonly kind: "KubeletConfig";
  readonly spec: {
    readonly machineConfigPoolSelector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly kubeletConfig: KubeletConfigPatch;
  };
}
