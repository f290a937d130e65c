import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import type { FilePlace, FileSystem } from "./facts.ts";
import type { Judgement, SizeAsked } from "./place.ts";
import { SWAP_LABEL } from "./script.ts";
import { isSizeAsAsked } from "./size.ts";

const ABLE_FILE_SYSTEMS = ["ext4", "xfs", "btrfs"];

/** Judges the place where a swap file was chosen to be. */
export function judgeFile(place: FilePlace, sizeAsked: SizeAsked): Judgement {
  const isOwn = isOwnSwapFile(place);
  const refusals = isOwn ? resizeRefusals(place, sizeAsked) : newFileRefusals(place, sizeAsked);
  const isOnBtrfs = place.fileSystem?.type === "btrfs";
  const notes = isOnBtrfs
    ? [`no snapshot can be taken of the subvolume of ${place.path} while it is on`]
    : [];
  return { isOwn, refusals, notes };
}

function isOwnSwapFile({ present }: FilePlace): boolean {
  const [signature, ...more] = present?.signatures ?? [];
  return signature?.type === "swap" && signature.label === SWAP_LABEL && more.length === 0;
}

function resizeRefusals({ path, present }: FilePlace, { size, memory }: SizeAsked): readonly string[] {
  if (size === undefined || memory === undefined || present === undefined) return [];
  if (isSizeAsAsked(present.bytes, size, memory.totalBytes)) return [];
  return [
    `${path} is wasp's swap of ${formatRounded(present.bytes)} already, and another size was asked for: take it away first (wasp uninstall --only swap)`,
  ];
}

function newFileRefusals(place: FilePlace, { asked }: SizeAsked): readonly string[] {
  const { path, realPath, present, fileSystem } = place;
  if (realPath !== path)
    return [`the swap file ${path} would be reached through a symbolic link: name it as ${realPath}`];
  if (present !== undefined)
    return [`${path} is there already, and wasp did not make it: move it away, or choose another path`];
  return fileSystem === undefined ? [] : fileSystemRefusals(path, fileSystem, asked?.bytes ?? 0);
}

function fileSystemRefusals(path: string, fileSystem: FileSystem, bytes: number): readonly string[] {
  const { type, isReadOnly, totalBytes, availableBytes, deviceCount } = fileSystem;
  if (!ABLE_FILE_SYSTEMS.includes(type))
    return [
      `the file system of ${path} is ${type}, which can hold no swap file: choose a path on ext4, xfs or btrfs, or a device`,
    ];
  const refusals = [];
  if (isReadOnly) refusals.push(`the file system of ${path} is read-only: choose a path that can be written`);
  if (deviceCount !== undefined && deviceCount > 1)
    refusals.push(
      `the btrfs of ${path} is on ${deviceCount} devices, and the kernel swaps to a file on a single one: choose another path, or a device`,
    );
  // The kubelet evicts when less than a tenth of the node's disk is free.
  const spareBytes = Math.floor(totalBytes / 10);
  if (bytes + spareBytes > availableBytes)
    refusals.push(
      `${path}: ${formatRounded(bytes)} do not fit: ${formatRounded(availableBytes)} are free on its file system, of which a tenth of it, ${formatRounded(spareBytes)}, has to stay free, or the kubelet evicts; choose a smaller size, or another disk`,
    );
  return refusals;
}
