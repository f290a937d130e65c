import type { Distribution } from "./distribution.ts";

/** Configuration of the kubelet as the planner sees it: without wasp's own drop-in, unless a field says otherwise. */
export interface KubeletFacts {
  /** True if the host has a kubelet. */
  readonly isThere: boolean;
  /** The distribution that starts it; undefined for kubelet.service. */
  readonly startedBy: KubeletStarter | undefined;
  /** Its configuration file; undefined where it has none. */
  readonly configFile: string | undefined;
  /** True if its flags are known and its configuration file exists: kubeadm writes that when a node joins. */
  readonly isConfigKnown: boolean;
  /** Its folder of drop-ins (--config-dir); undefined where it reads none. */
  readonly dropInFolder: string | undefined;
  /** The value in its files; undefined where none sets it. */
  readonly failSwapOn: boolean | undefined;
  /** The value in its files and wasp's drop-in, and the file that sets it; undefined where none does. */
  readonly failSwapOnNow: { readonly value: boolean; readonly setBy: string } | undefined;
  /** Its soft threshold of memory.available as spelled in its files or its flags; undefined for none. */
  readonly evictionSoft: string | undefined;
  /** The value of the flag, which overrides the files; undefined where it is not given. */
  readonly failSwapOnFlag: boolean | undefined;
  /** True if the kubelet gives containers swap limits itself (LimitedSwap). */
  readonly limitsSwap: boolean;
  /** The node's memory; undefined in an image. */
  readonly memoryTotalBytes: number | undefined;
  /** The drop-in after wasp's own that sets failSwapOn: true; undefined for none. */
  readonly contradictedBy: string | undefined;
  /** Errors of the files that cannot be parsed, one each. */
  readonly problems: readonly string[];
}

/** A distribution of Kubernetes that starts a kubelet. */
export interface KubeletStarter extends Pick<Distribution, "name" | "settings"> {
  /** The systemd unit that starts it. */
  readonly unit: string;
}

/** Returns the service that starts a kubelet, as systemctl takes it. */
export function serviceOf(startedBy: KubeletStarter | undefined): string {
  return startedBy?.unit.replace(/\.service$/, "") ?? "kubelet";
}
