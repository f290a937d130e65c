import type { SwapArea } from "./areas.ts";

/** What a file or a device holds, as its signature tells. */
export interface Signature {
  /** As blkid names it: swap, crypto_LUKS, ext4, gpt... */
  readonly type: string;
  readonly label: string | undefined;
}

/** The file system that a swap file would be on. */
export interface FileSystem {
  /** As the kernel names it: ext4, xfs, btrfs, overlay... */
  readonly type: string;
  readonly isReadOnly: boolean;
  readonly totalBytes: number;
  /** What anyone but root may still take, as the kubelet counts too. */
  readonly availableBytes: number;
  /** How many devices a btrfs is on; undefined elsewhere. */
  readonly deviceCount: number | undefined;
}

/** The place where a swap file is to be. */
export interface FilePlace {
  readonly kind: "file";
  readonly path: string;
  /** The path without symbolic links. */
  readonly realPath: string;
  /** What is there; undefined for nothing. */
  readonly present: { readonly bytes: number; readonly signatures: readonly Signature[] } | undefined;
  /** Undefined in an image. */
  readonly fileSystem: FileSystem | undefined;
}

/** A block device that was looked at. */
export interface BlockDevice {
  /** A name that stays with it, below /dev/disk or /dev/mapper, as /dev/sdb does not; undefined if it has none. */
  readonly stablePath: string | undefined;
  readonly bytes: number;
  readonly isReadOnly: boolean;
  /** Whether somebody has it open for himself: a mount, a volume group, swap. */
  readonly isBusy: boolean;
  readonly mountPoint: string | undefined;
  /** Its partitions and what is mapped onto it, by name. */
  readonly children: readonly string[];
  readonly signatures: readonly Signature[];
  /** Whether the first mebibyte is zeros. */
  readonly startsBlank: boolean;
}

/** The place of swap on a device. */
export interface DevicePlace {
  readonly kind: "device";
  readonly path: string;
  readonly isEncrypted: boolean;
  /** Undefined in an image, where none is looked at. */
  readonly device: BlockDevice | "missing" | "not-a-block-device" | undefined;
}

/** The place of swap in memory. */
export interface ZramPlace {
  readonly kind: "zram";
  /** Whether the kernel can; undefined in an image. */
  readonly isPossible: boolean | undefined;
}

/** The node's memory, in bytes. */
export interface SwapMemory {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

/** What there is of swap on a host, and where swap would go. */
export interface SwapFacts {
  /** Undefined in an image. */
  readonly memory: SwapMemory | undefined;
  /** The active area at the place that was chosen. */
  readonly active: SwapArea | undefined;
  /** All other active areas. */
  readonly others: readonly SwapArea[];
  /** What there is of the target that was chosen; undefined when none was. */
  readonly place: FilePlace | DevicePlace | ZramPlace | undefined;
  /** The script of an earlier installation. */
  readonly script: string | undefined;
  /** Programs that the chosen kind needs and that are not there. */
  readonly missingPrograms: readonly string[];
}
