import type { SwapArea } from "./areas.ts";

/** A signature in a file or on a device, which identifies its content. */
export interface Signature {
  /** Type in blkid's terms: swap, crypto_LUKS, ext4, gpt... */
  readonly type: string;
  readonly label: string | undefined;
}

/** File system for a swap file. */
export interface FileSystem {
  /** Type in the kernel's terms: ext4, xfs, btrfs, overlay... */
  readonly type: string;
  readonly isReadOnly: boolean;
  readonly totalBytes: number;
  /** Bytes available to unprivileged users, as the kubelet counts them. */
  readonly availableBytes: number;
  /** Number of devices of a btrfs; undefined for other types. */
  readonly deviceCount: number | undefined;
}

/** Place of a swap file. */
export interface FilePlace {
  readonly kind: "file";
  readonly path: string;
  /** Path without symbolic links. */
  readonly realPath: string;
  /** Existing file at the path; undefined for none. */
  readonly present: { readonly bytes: number; readonly signatures: readonly Signature[] } | undefined;
  /** Undefined in an image. */
  readonly fileSystem: FileSystem | undefined;
}

/** Properties of a block device. */
export interface BlockDevice {
  /** Persistent name below /dev/disk or /dev/mapper (unlike /dev/sdb); undefined if it has none. */
  readonly stablePath: string | undefined;
  readonly bytes: number;
  readonly isReadOnly: boolean;
  /** True if it is open exclusively: a mount, a volume group, swap. */
  readonly isBusy: boolean;
  readonly mountPoint: string | undefined;
  /** Names of its partitions and of devices mapped onto it. */
  readonly children: readonly string[];
  readonly signatures: readonly Signature[];
  /** True if the first mebibyte is zeros. */
  readonly startsBlank: boolean;
}

/** Place of swap on a device. */
export interface DevicePlace {
  readonly kind: "device";
  readonly path: string;
  readonly isEncrypted: boolean;
  /** Undefined in an image, whose devices cannot be read. */
  readonly device: BlockDevice | "missing" | "not-a-block-device" | undefined;
}

/** Place of swap in compressed memory. */
export interface ZramPlace {
  readonly kind: "zram";
  /** True if the kernel has zram; undefined in an image. */
  readonly isPossible: boolean | undefined;
}

/** Memory of the node, in bytes. */
export interface SwapMemory {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

/** Swap of a host, and the place for new swap. */
export interface SwapFacts {
  /** Undefined in an image. */
  readonly memory: SwapMemory | undefined;
  /** Active area at the selected place. */
  readonly active: SwapArea | undefined;
  /** All other active areas. */
  readonly others: readonly SwapArea[];
  /** State of the selected target; undefined if none is selected. */
  readonly place: FilePlace | DevicePlace | ZramPlace | undefined;
  /** Script of an earlier installation. */
  readonly script: string | undefined;
  /** Missing programs that the selected kind of swap needs. */
  readonly missingPrograms: readonly string[];
}
