import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { readFile, readFileIfThere, unlessGone } from "../../host/file.ts";
import { locate } from "../target/locate.ts";
import { type Mount, mountOf, readMounts } from "../target/mounts.ts";
import type { BlockStack } from "./areas.ts";

/** Tells what is below the swap area or the device with this path; throws an error that says what cannot be told. */
export function stackOfPath(fsroot: string, path: string, medium: "file" | "device" | "zram"): BlockStack {
  return medium === "file"
    ? stackOfFile(fsroot, path)
    : stackOfDevice(fsroot, basename(realPath(fsroot, path)));
}

/** Tells what the root file system is on; throws an error where it is not on a device that the kernel names. */
export function readRootStack(fsroot: string): BlockStack {
  const mounts = readMounts(fsroot);
  // Where the root is an overlay, as on an OSTree, the disk is mounted there.
  const places = ["/", "/sysroot", "/var"];
  const candidates = places.map((mountPoint) => mounts.findLast((mount) => mount.mountPoint === mountPoint));
  const [device] = candidates.flatMap((mount) => deviceOf(fsroot, mount) ?? []);
  if (device === undefined)
    throw new Error("the root file system is on no block device that the kernel names");
  return stackOfDevice(fsroot, device);
}

/** Where a path of the host leads, all links followed; the path as it is spelled where nothing is there. */
export function realPath(fsroot: string, path: string): string {
  return locate(fsroot, `${path}/.`).slice(fsroot.length);
}

function stackOfFile(fsroot: string, path: string): BlockStack {
  const mount = mountOf(readMounts(fsroot), path);
  const device = deviceOf(fsroot, mount);
  if (device === undefined) throw new Error(`${path} is on no block device that the kernel names`);
  return stackOfDevice(fsroot, device);
}

// Btrfs gives a number that is no device's; its source is one.
function deviceOf(fsroot: string, mount: Mount | undefined): string | undefined {
  if (mount === undefined) return undefined;
  const { number, source } = mount;
  const link = `${fsroot}/sys/dev/block/${number}`;
  if (existsSync(link)) return basename(realpathSync(link));
  const name = basename(realPath(fsroot, source));
  return source.startsWith("/dev/") && existsSync(`${fsroot}/sys/class/block/${name}`) ? name : undefined;
}

function stackOfDevice(fsroot: string, device: string): BlockStack {
  const link = `${fsroot}/sys/class/block/${device}`;
  if (!existsSync(link)) throw new Error(`${link} is not there: what ${device} is on is not known`);
  const directory = realpathSync(link);
  const number = readFile(`${directory}/dev`).trim();
  const below = stacksBelow(fsroot, directory, device);
  const numbers = [number, ...below.flatMap((stack) => stack.numbers)];
  if (isMemory(device, directory)) return { disks: [], numbers, isEncrypted: true };
  const isCrypt = readFileIfThere(`${directory}/dm/uuid`)?.startsWith("CRYPT-") ?? false;
  const disks = below.length === 0 ? [device] : [...new Set(below.flatMap((stack) => stack.disks))];
  return {
    disks,
    numbers,
    isEncrypted: isCrypt || (below.length > 0 && below.every((stack) => stack.isEncrypted)),
  };
}

// A partition is below its disk's folder; a loop device is on a file.
function stacksBelow(fsroot: string, directory: string, device: string): BlockStack[] {
  if (existsSync(`${directory}/partition`)) return [stackOfDevice(fsroot, basename(dirname(directory)))];
  const backingFile = readFileIfThere(`${directory}/loop/backing_file`)?.trim();
  if (backingFile !== undefined) return [stackOfFile(fsroot, backingFile)];
  const written = isZram(device) ? readFileIfThere(`${directory}/backing_dev`)?.trim() : undefined;
  if (written?.startsWith("/")) return [stackOfPath(fsroot, written, "device")];
  const slaves = unlessGone(() => readdirSync(`${directory}/slaves`)) ?? [];
  return slaves.map((slave) => stackOfDevice(fsroot, slave));
}

// Compressed memory, unless what it has not room for is written to a disk.
function isMemory(device: string, directory: string): boolean {
  if (!isZram(device)) return false;
  return !(readFileIfThere(`${directory}/backing_dev`)?.startsWith("/") ?? false);
}

function isZram(device: string): boolean {
  return /^zram\d+$/.test(device);
}
