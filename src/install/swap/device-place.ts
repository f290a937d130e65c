import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import type { BlockDevice, DevicePlace, SwapMemory } from "./facts.ts";
import type { PlaceAssessment, RequestedSize } from "./place.ts";
import { SWAP_LABEL } from "./script.ts";
import { MIN_SWAP_BYTES, overcommitPercent } from "./size.ts";

/** Size of the LUKS header of an encrypted device; the rest is swap. */
const LUKS_HEADER_BYTES = 16 * 1024 ** 2;

// udev derives these names from the device itself, not from its content or the order of detection.
const STABLE_PATH = /^\/dev\/(?:disk\/by-(?:id|partuuid|path|partlabel)|mapper)\/[^/]+$/;

/** Returns true if a path names the same device after every boot. */
export function isStablePath(path: string): boolean {
  return STABLE_PATH.test(path);
}

/** Assesses the selected device for swap. */
export function assessDevice(place: DevicePlace, requested: RequestedSize): PlaceAssessment {
  const { path, device } = place;
  const refused = (refusal: string): PlaceAssessment => ({ isOwn: false, refusals: [refusal], notes: [] });
  if (device === "missing") return refused(`the device ${path} does not exist: choose one that lsblk lists`);
  if (device === "not-a-block-device")
    return refused(`${path} is not a block device: choose one that lsblk lists`);
  if (device === undefined) return { isOwn: false, refusals: imageRefusals(path), notes: [] };
  const isOwn = isOwnDevice(device, place);
  const refusals = [
    ...nameRefusals(path, device),
    ...sizeRefusals(place, device, requested),
    ...(isOwn ? [] : contentRefusals(path, device)),
  ];
  const { memory } = requested;
  return { isOwn, refusals, notes: memory === undefined ? [] : [sizeNote(place, device, memory)] };
}

function imageRefusals(path: string): readonly string[] {
  if (isStablePath(path)) return [];
  return [
    `${path} may name another disk on a node that boots from the image: use a path below /dev/disk/by-id, by-partuuid, by-partlabel or by-path, or /dev/mapper`,
  ];
}

function isOwnDevice({ signatures }: BlockDevice, { isEncrypted }: DevicePlace): boolean {
  const type = isEncrypted ? "crypto_LUKS" : "swap";
  // LUKS2 writes its signature twice.
  return signatures.length > 0 && signatures.every((one) => one.type === type && one.label === SWAP_LABEL);
}

function nameRefusals(path: string, { stablePath }: BlockDevice): readonly string[] {
  if (stablePath !== undefined) return [];
  return [
    `${path} may name another disk after the next boot, and the device has no persistent name below /dev/disk/by-id, by-partuuid or by-path: choose a device that has one`,
  ];
}

function sizeRefusals(place: DevicePlace, device: BlockDevice, { sizing }: RequestedSize): readonly string[] {
  const bytes = usableBytes(place, device);
  if (bytes >= (sizing?.bytes ?? MIN_SWAP_BYTES)) return [];
  const needed = sizing === undefined ? "at least 1 MiB" : `the ${sizing.arithmetic}`;
  return [
    `the device ${place.path} is too small: it provides ${formatRounded(bytes)}, not ${needed}; choose a larger one`,
  ];
}

function usableBytes({ isEncrypted }: DevicePlace, { bytes }: BlockDevice): number {
  return isEncrypted ? Math.max(0, bytes - LUKS_HEADER_BYTES) : bytes;
}

/** Reasons for not overwriting a device: its content or its users. */
function contentRefusals(path: string, device: BlockDevice): readonly string[] {
  const { mountPoint, children, signatures, isBusy, isReadOnly, startsBlank } = device;
  const refused = (problem: string, alternative: string) => [
    `the device ${path} ${problem}: choose ${alternative}`,
  ];
  const unused = "an unused one";
  const blank =
    "a blank one; if its content is not needed, blank it with blkdiscard, or with wipefs --all and zeros in its first MiB";
  if (isReadOnly) return refused("is read-only", "a writable one");
  if (mountPoint !== undefined) return refused(`is in use, as ${mountPoint}`, unused);
  if (children.length > 0) return refused(`is in use, by ${children.join(", ")}`, unused);
  if (signatures.length > 0) {
    const held = signatures.map(({ type, label }) => (label === undefined ? type : `${type} "${label}"`));
    return refused(`holds ${[...new Set(held)].join(", ")}`, blank);
  }
  if (isBusy) return refused("is in use: the kernel denies exclusive access", unused);
  return startsBlank ? [] : refused("holds data without a signature: its first MiB is not zeros", blank);
}

function sizeNote(place: DevicePlace, device: BlockDevice, { totalBytes }: SwapMemory): string {
  const bytes = usableBytes(place, device);
  return `all of ${place.path} becomes swap: ${formatRounded(bytes)}, with which pods may use ${overcommitPercent(bytes, totalBytes)}% of the ${formatRounded(totalBytes)} of memory`;
}
