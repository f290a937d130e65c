import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import type { BlockDevice, DevicePlace, SwapMemory } from "./facts.ts";
import type { Judgement, SizeAsked } from "./place.ts";
import { SWAP_LABEL } from "./script.ts";
import { overcommitPercent } from "./size.ts";

/** What the header of an encrypted device takes; the rest is swap. */
const HEADER_BYTES = 16 * 1024 ** 2;

// These are made of the device itself, not of what it holds, nor of the order in which it was found.
const STABLE_PATH = /^\/dev\/(?:disk\/by-(?:id|partuuid|path|partlabel)|mapper)\/[^/]+$/;

/** Whether a path names the same device at every start of a node. */
export function isStablePath(path: string): boolean {
  return STABLE_PATH.test(path);
}

/** Judges the device that was chosen to become swap. */
export function judgeDevice(place: DevicePlace, sizeAsked: SizeAsked): Judgement {
  const { path, device } = place;
  const refused = (refusal: string): Judgement => ({ isOwn: false, refusals: [refusal], notes: [] });
  if (device === "missing") return refused(`the device ${path} is not there: name one that lsblk shows`);
  if (device === "not-a-block-device")
    return refused(`${path} is not a block device: name one that lsblk shows`);
  if (device === undefined) return { isOwn: false, refusals: imageRefusals(path), notes: [] };
  const isOwn = isOwnDevice(device, place);
  const refusals = [
    ...nameRefusals(path, device),
    ...sizeRefusals(place, device, sizeAsked),
    ...(isOwn ? [] : contentRefusals(path, device)),
  ];
  const { memory } = sizeAsked;
  return { isOwn, refusals, notes: memory === undefined ? [] : [sizeNote(place, device, memory)] };
}

function imageRefusals(path: string): readonly string[] {
  if (isStablePath(path)) return [];
  return [
    `${path} may be another disk on a node that starts from the image: name it as it is below /dev/disk/by-id, by-partuuid, by-partlabel or by-path, or /dev/mapper`,
  ];
}

function isOwnDevice({ signatures }: BlockDevice, { isEncrypted }: DevicePlace): boolean {
  const type = isEncrypted ? "crypto_LUKS" : "swap";
  // LUKS has its signature twice.
  return signatures.length > 0 && signatures.every((one) => one.type === type && one.label === SWAP_LABEL);
}

function nameRefusals(path: string, { stablePath }: BlockDevice): readonly string[] {
  if (stablePath !== undefined) return [];
  return [
    `${path} may be another disk at the next start, and it has no lasting name below /dev/disk/by-id, by-partuuid or by-path: choose a device that has one`,
  ];
}

function sizeRefusals(place: DevicePlace, device: BlockDevice, { asked }: SizeAsked): readonly string[] {
  const bytes = usableBytes(place, device);
  if (bytes >= (asked?.bytes ?? LEAST_BYTES)) return [];
  const right = asked === undefined ? "at least 1 MiB" : `the ${asked.arithmetic}`;
  return [
    `the device ${place.path} is too small: it gives ${formatRounded(bytes)}, not ${right}; choose a larger one`,
  ];
}

const LEAST_BYTES = 1024 ** 2;

function usableBytes({ isEncrypted }: DevicePlace, { bytes }: BlockDevice): number {
  return isEncrypted ? Math.max(0, bytes - HEADER_BYTES) : bytes;
}

/** Whatever is on it, or has it: nobody's data are overwritten. */
function contentRefusals(path: string, device: BlockDevice): readonly string[] {
  const { mountPoint, children, signatures, isBusy, isReadOnly, startsBlank } = device;
  const isNot = (wrong: string, right: string) => [`the device ${path} ${wrong}: choose ${right}`];
  const another = "one that is not";
  const blank =
    "a blank one; if nobody needs what it holds, make it blank with blkdiscard, or with wipefs --all and zeros in its first MiB";
  if (isReadOnly) return isNot("is read-only", another);
  if (mountPoint !== undefined) return isNot(`is in use, as ${mountPoint}`, another);
  if (children.length > 0) return isNot(`is in use, by ${children.join(", ")}`, another);
  if (signatures.length > 0) {
    const held = signatures.map(({ type, label }) => (label === undefined ? type : `${type} "${label}"`));
    return isNot(`holds ${[...new Set(held)].join(", ")}`, blank);
  }
  if (isBusy) return isNot("is in use, the kernel says", another);
  return startsBlank ? [] : isNot("holds something without a signature: its first MiB is not zeros", blank);
}

function sizeNote(place: DevicePlace, device: BlockDevice, { totalBytes }: SwapMemory): string {
  const bytes = usableBytes(place, device);
  return `all of ${place.path} becomes swap: ${formatRounded(bytes)}, with which pods may use ${overcommitPercent(bytes, totalBytes)}% of the ${formatRounded(totalBytes)} of memory`;
}
