import type { KubeletConfigPatch } from "../kubelet/config-patch.ts";
import type { IgnitionConfig } from "./ignition.ts";

/** An object for the API server. */
export interface Manifest {
  /** Purpose, printed as a comment above the object. */
  readonly comment: string;
  readonly object: MachineConfig | KubeletConfig | PlainObject;
}

/** Manifests that set up the workers of a cluster, or the reasons for refusing them. */
export type Manifests =
  | { readonly manifests: readonly Manifest[] }
  | { readonly refusals: readonly string[] };

/** An object of Kubernetes itself; tests validate it against the schema. */
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

/** Configuration that OpenShift's machine config operator applies to each node of a pool. */
export interface MachineConfig extends NamedObject {
  readonly kind: "MachineConfig";
  readonly spec: { readonly config?: IgnitionConfig; readonly kernelArguments?: readonly string[] };
}

/** Configuration that the machine config operator applies to the kubelets of a pool. */
export interface KubeletConfig extends NamedObject {
  readonly kind: "KubeletConfig";
  readonly spec: {
    readonly machineConfigPoolSelector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly kubeletConfig: KubeletConfigPatch;
  };
}
