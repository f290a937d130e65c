import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { readFile, readFileIfThere, unlessGone } from "../../host/file.ts";
import { locate } from "../target/locate.ts";
import { type Mount, mountOf, readMounts } from "../target/mounts.ts";
import type { BlockStack } from "./areas.ts";

/** Reads the stack below a swap area or device; throws an error that names the missing information. */
export function stackOfPath(fsroot: string, path: string, medium: "file" | "device" | "zram"): BlockStack {
  return medium === "file"
    ? stackOfFile(fsroot, path)
    : stackOfDevice(fsroot, basename(realPath(fsroot, path)));
}

/** Reads the stack below the root file system; throws an error if it is not on a block device in sysfs. */
export function readRootStack(fsroot: string): BlockStack {
  const mounts = readMounts(fsroot);
  // If the root is an overlay, as with OSTree, the disk is mounted at one of the others.
  const places = ["/", "/sysroot", "/var"];
  const candidates = places.map((mountPoint) => mounts.findLast((mount) => mount.mountPoint === mountPoint));
  const [device] = candidates.flatMap((mount) => deviceOf(fsroot, mount) ?? []);
  if (device === undefined) throw new Error("the root file system is not on a block device in sysfs");
  return stackOfDevice(fsroot, device);
}

/** Resolves all symbolic links of a path of the host; returns a path that does not exist unchanged. */
export function realPath(fsroot: string, path: string): string {
  return locate(fsroot, `${path}/.`).slice(fsroot.length);
}

function stackOfFile(fsroot: string, path: string): BlockStack {
  const mount = mountOf(readMounts(fsroot), path);
  const device = deviceOf(fsroot, mount);
  if (device === undefined) throw new Error(`${path} is not on a block device in sysfs`);
  return stackOfDevice(fsroot, device);
}

// The device number of a btrfs mount is not that of a block device, but its source is a device path.
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
  if (!existsSync(link)) throw new Error(`${link} does not exist: the disk of ${device} is unknown`);
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

// The folder of a partition is in that of its disk; a loop device is backed by a file.
function stacksBelow(fsroot: string, directory: string, device: string): BlockStack[] {
  if (existsSync(`${directory}/partition`)) return [stackOfDevice(fsroot, basename(dirname(directory)))];
  const backingFile = readFileIfThere(`${directory}/loop/backing_file`)?.trim();
  if (backingFile !== undefined) return [stackOfFile(fsroot, backingFile)];
  const backingDevice = isZram(device) ? readFileIfThere(`${directory}/backing_dev`)?.trim() : undefined;
  if (backingDevice?.startsWith("/")) return [stackOfPath(fsroot, backingDevice, "device")];
  const slaves = unlessGone(() => readdirSync(`${directory}/slaves`)) ?? [];
  return slaves.map((slave) => stackOfDevice(fsroot, slave));
}

// A zram device without a backing device, to which it would write pages.
function isMemory(device: string, directory: string): boolean {
  if (!isZram(device)) return false;
  return !(readFileIfThere(`${directory}/backing_dev`)?.startsWith("/") ?? false);
}

function isZram(device: string): boolean {
  return /^zram\d+$/.test(device);
}
