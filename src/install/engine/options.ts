/** What an administrator chose for an installation; each part takes what it needs. */
export interface InstallOptions {
  /** Where the executable is installed: an absolute path of the host. */
  readonly binaryPath: string;
  /**
   * The kubelet's soft threshold of memory.available, a quantity or a percentage as the kubelet spells it; Auto for one
   * that fits the node, Off to set none.
   */
  readonly evictionSoft: string;
  /** Whether the services whose settings change are restarted. */
  readonly restart: boolean;
  readonly swap: SwapOptions;
  /** Whether swap is set up although the kubelet would not start with it. */
  readonly ignoreKubelet: boolean;
}

/** What a node swaps to. */
export type SwapTarget =
  | { readonly kind: "file"; readonly path: string }
  /** A whole disk, a partition or a logical volume, all of which becomes swap. */
  | { readonly kind: "device"; readonly path: string; readonly isEncrypted: boolean }
  /** Compressed memory. */
  | { readonly kind: "zram" };

/** How much swap there is to be: so many bytes, or so much that pods may use this percentage of the node's memory. */
export type SwapSize =
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "overcommit"; readonly percent: number };

/** What an administrator chose for a node's swap. */
export interface SwapOptions {
  /** Undefined: a file, unless there is swap enough; or nothing, where no size was chosen either. */
  readonly target: SwapTarget | undefined;
  /** Undefined: a device as large as it is, or nothing. */
  readonly size: SwapSize | undefined;
  /** 0 to 32767, higher ones are filled first; undefined: the kernel's choice, which is after all others. */
  readonly priority: number | undefined;
}

/** Where swap goes unless told. */
export const DEFAULT_SWAP_FILE = "/var/lib/wasp/swapfile";

/** What would be swapped to; undefined when nothing was chosen. */
export function targetOf({ target, size }: SwapOptions): SwapTarget | undefined {
  return target ?? (size === undefined ? undefined : { kind: "file", path: DEFAULT_SWAP_FILE });
}

/** A target in words: the path, or zram. */
export function nameOfTarget(target: SwapTarget): string {
  return target.kind === "zram" ? "zram" : target.path;
}
