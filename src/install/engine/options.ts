/** Options of an installation; each part uses the ones that it needs. */
export interface InstallOptions {
  /** Path of the installed executable: an absolute path of the host. */
  readonly binaryPath: string;
  /**
   * Soft eviction threshold of the kubelet for memory.available: a quantity or a percentage in the kubelet's format, Auto
   * for one that fits the node, or Off for none.
   */
  readonly evictionSoft: string;
  /** True if services are restarted when their settings change. */
  readonly restart: boolean;
  readonly swap: SwapOptions;
  /** True if swap is set up even for a kubelet that would not start with it. */
  readonly ignoreKubelet: boolean;
}

/** File or device that a node swaps to. */
export type SwapTarget =
  | { readonly kind: "file"; readonly path: string }
  /** A disk, a partition or a logical volume, used completely. */
  | { readonly kind: "device"; readonly path: string; readonly isEncrypted: boolean }
  /** A compressed device in memory. */
  | { readonly kind: "zram" };

/** Size of the swap: in bytes, or as the percentage of the node's memory that pods may use in all. */
export type SwapSize =
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "overcommit"; readonly percent: number };

/** Options of a node's swap. */
export interface SwapOptions {
  /** Undefined with a size: the default file, unless there is enough swap already. Undefined without a size: no swap. */
  readonly target: SwapTarget | undefined;
  /** Undefined: the whole device, or no swap. */
  readonly size: SwapSize | undefined;
  /** 0 to 32767, filled from the highest down; undefined: chosen by the kernel, below all others. */
  readonly priority: number | undefined;
}

/** Path of the default swap file. */
export const DEFAULT_SWAP_FILE = "/var/lib/wasp/swapfile";

/** Returns the target of the options, by default a file; undefined if they ask for no swap. */
export function targetOf({ target, size }: SwapOptions): SwapTarget | undefined {
  return target ?? (size === undefined ? undefined : { kind: "file", path: DEFAULT_SWAP_FILE });
}

/** Returns the name of a target: its path, or zram. */
export function nameOfTarget(target: SwapTarget): string {
  return target.kind === "zram" ? "zram" : target.path;
}
