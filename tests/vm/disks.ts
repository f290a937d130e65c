/** Disks of a machine: overlays that QEMU discards, files without a name that last, and one that becomes a snapshot. */
import { openSync } from "node:fs";
import { rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "bun";
import type { GuestImage } from "./image.ts";
import { snapshotDisk } from "./snapshot-files.ts";

/** Disks that a machine has. */
export interface DiskOptions {
  /** True if the root disk keeps what is written when the power is cut; false by default. */
  readonly isLasting?: boolean;
  /** Size of a second disk, which is blank and lasts; there is none by default. */
  readonly secondDiskMiB?: number;
  /** Snapshot that the machine starts from, as a folder inside the chroot; it boots by default. */
  readonly snapshot?: string;
  /** Snapshot that the root disk is written for, as a folder inside the chroot. */
  readonly recording?: string;
}

/** Name that udev gives the second disk. */
export const secondDisk = "/dev/disk/by-id/virtio-second";

/** A machine's disks, as QEMU's flags and the descriptors that the flags refer to. */
export interface Disks {
  readonly descriptors: readonly number[];
  /** Returns the flags, where the first of the descriptors has this number in the emulator. */
  readonly flags: (firstDescriptor: number) => string[];
}

/** Makes a machine's disks, with a folder for their files until these have lost their names. */
export async function makeDisks(image: GuestImage, options: DiskOptions, folder: string): Promise<Disks> {
  const { isLasting = false, secondDiskMiB, snapshot, recording } = options;
  const root = isLasting
    ? await withoutName(join(folder, "root"), (path) => copyRoot(image, path))
    : undefined;
  const second =
    secondDiskMiB === undefined
      ? undefined
      : await withoutName(join(folder, "second"), async (path) => {
          await Bun.write(path, "");
          await truncate(path, secondDiskMiB * 1024 ** 2);
        });
  const descriptors = [root, second].filter((descriptor) => descriptor !== undefined);
  const rootDrive =
    recording !== undefined
      ? `format=qcow2,file=${snapshotDisk(recording)}`
      : snapshot !== undefined
        ? `format=qcow2,file=${snapshotDisk(snapshot)},snapshot=on`
        : `format=raw,file=${image.disk},snapshot=on`;
  const fdSet = (first: number, descriptor: number) => first + descriptors.indexOf(descriptor);
  return {
    descriptors,
    flags: (first) => [
      ...descriptors.flatMap((_, index) => ["-add-fd", `fd=${first + index},set=${first + index}`]),
      ...(root === undefined
        ? ["-drive", `if=none,id=root,cache=unsafe,${rootDrive}`]
        : ["-blockdev", lastingDrive("root", fdSet(first, root))]),
      ...["-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=root,serial=root,rotation_rate=1"],
      ...(second === undefined
        ? []
        : [
            ...["-blockdev", lastingDrive("second", fdSet(first, second))],
            ...["-device", "virtio-blk-pci,drive=second,serial=second"],
          ]),
    ],
  };
}

async function withoutName(path: string, make: (path: string) => Promise<void>): Promise<number> {
  await make(path);
  const descriptor = openSync(path, "r+");
  await rm(path);
  return descriptor;
}

async function copyRoot({ emulator, disk }: GuestImage, path: string): Promise<void> {
  await $`cp --sparse=always --reflink=auto ${join(emulator, disk)} ${path}`.quiet();
  // The image has none, which is faster where no power is cut.
  await $`tune2fs -O has_journal -J size=16 ${path}`.quiet();
}

function lastingDrive(name: string, fdSet: number): string {
  return `driver=file,node-name=${name},filename=/dev/fdset/${fdSet},cache.no-flush=on`;
}
