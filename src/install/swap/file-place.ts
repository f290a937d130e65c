import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import { applicable } from "../engine/applicable.ts";
import type { FilePlace, FileSystem } from "./facts.ts";
import type { PlaceAssessment, RequestedSize } from "./place.ts";
import { SWAP_LABEL } from "./script.ts";
import { isRequestedSize } from "./size.ts";

const SWAP_FILE_SYSTEMS = ["ext4", "xfs", "btrfs"];

/** Assesses the selected path for a swap file. */
export function assessFile(place: FilePlace, requested: RequestedSize): PlaceAssessment {
  const isOwn = isOwnSwapFile(place);
  const refusals = isOwn ? resizeRefusals(place, requested) : newFileRefusals(place, requested);
  const notes = applicable(
    place.fileSystem?.type === "btrfs" &&
      `no snapshot of the subvolume of ${place.path} can be taken while the swap is active`,
  );
  return { isOwn, refusals, notes };
}

function isOwnSwapFile({ present }: FilePlace): boolean {
  const [signature, ...more] = present?.signatures ?? [];
  return signature?.type === "swap" && signature.label === SWAP_LABEL && more.length === 0;
}

function resizeRefusals({ path, present }: FilePlace, { size, memory }: RequestedSize): readonly string[] {
  if (size === undefined || memory === undefined || present === undefined) return [];
  if (isRequestedSize(present.bytes, size, memory.totalBytes)) return [];
  return [
    `${path} is wasp's swap of ${formatRounded(present.bytes)} already, and another size is requested: remove it first (wasp uninstall --only swap)`,
  ];
}

function newFileRefusals(place: FilePlace, { sizing }: RequestedSize): readonly string[] {
  const { path, realPath, present, fileSystem } = place;
  if (realPath !== path) return [`the path ${path} of the swap file has a symbolic link: use ${realPath}`];
  if (present !== undefined)
    return [`${path} exists already and was not made by wasp: move it away, or choose another path`];
  return fileSystem === undefined ? [] : fileSystemRefusals(path, fileSystem, sizing?.bytes ?? 0);
}

function fileSystemRefusals(path: string, fileSystem: FileSystem, bytes: number): readonly string[] {
  const { type, isReadOnly, totalBytes, availableBytes, deviceCount } = fileSystem;
  if (!SWAP_FILE_SYSTEMS.includes(type))
    return [
      `the file system of ${path} is ${type}, which does not support swap files: choose a path on ext4, xfs or btrfs, or a device`,
    ];
  // The kubelet evicts pods when less than a tenth of the node's disk is free (nodefs.available).
  const spareBytes = Math.floor(totalBytes / 10);
  return applicable(
    isReadOnly && `the file system of ${path} is read-only: choose a writable path`,
    deviceCount !== undefined &&
      deviceCount > 1 &&
      `the btrfs of ${path} is on ${deviceCount} devices, and the kernel supports swap files only on a single one: choose another path, or a device`,
    bytes + spareBytes > availableBytes &&
      `${path}: ${formatRounded(bytes)} do not fit: ${formatRounded(availableBytes)} are free on its file system, and a tenth of it, ${formatRounded(spareBytes)}, has to stay free, or the kubelet evicts pods; choose a smaller size, or another disk`,
  );
}
