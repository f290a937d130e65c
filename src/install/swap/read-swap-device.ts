import { closeSync, constants, openSync, readSync } from "node:fs";
import { namesIn } from "../../host/directory.ts";
import type { Host } from "../target/host.ts";
import { statOf } from "../target/locate.ts";
import { follow } from "../target/read-host.ts";
import { isStablePath } from "./device-place.ts";
import type { BlockDevice, DevicePlace } from "./facts.ts";
import { readSignatures } from "./read-signatures.ts";

const BLANK_BYTES = 1024 ** 2;

/** Reads the properties of a device of a running host, without writing to it. */
export function readDevice(host: Host, path: string): DevicePlace["device"] {
  if (!host.isRunning) return undefined;
  const place = follow(host, path);
  const stat = statOf(place);
  if (stat === undefined) return "missing";
  if (!stat.isBlockDevice()) return "not-a-block-device";
  const kernelPath = place.slice(host.fsroot.length);
  return {
    ...readByLsblk(host, kernelPath),
    stablePath: isStablePath(path) ? path : stablePathOf(host, place),
    isBusy: isBusy(place),
    signatures: readSignatures(host, kernelPath),
    startsBlank: startsBlank(place),
  };
}

interface Lsblk {
  readonly blockdevices: readonly LsblkDevice[];
}

interface LsblkDevice {
  readonly name: string;
  readonly size: number | string;
  readonly ro: boolean | string;
  readonly mountpoint: string | null;
  readonly children?: readonly { readonly name: string }[];
}

function readByLsblk(
  host: Host,
  path: string,
): Pick<BlockDevice, "bytes" | "isReadOnly" | "mountPoint" | "children"> {
  // --all includes devices of size 0, such as an empty drive.
  const columns = "NAME,SIZE,RO,MOUNTPOINT";
  const output = host.run(["lsblk", "--all", "--json", "--bytes", "--output", columns, path]);
  const [found] = (JSON.parse(output) as Lsblk).blockdevices;
  if (found === undefined) throw new Error(`lsblk does not know ${path}`);
  return {
    bytes: Number(found.size),
    isReadOnly: found.ro === true || found.ro === "1",
    mountPoint: found.mountpoint ?? undefined,
    children: (found.children ?? []).map(({ name }) => name),
  };
}

/** Returns a udev name that depends on the device or its slot, not on its content, which may change. */
function stablePathOf(host: Host, place: string): string | undefined {
  const folders = ["by-id", "by-partuuid", "by-path"].map((kind) => `/dev/disk/${kind}`);
  return folders
    .flatMap((folder) => namesIn(follow(host, folder)).map((name) => `${folder}/${name}`))
    .find((path) => !path.includes("/lvm-pv-uuid-") && follow(host, path) === place);
}

/** Returns true if the kernel denies exclusive access to a device. */
function isBusy(place: string): boolean {
  try {
    closeSync(openSync(place, constants.O_RDONLY | constants.O_EXCL));
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBUSY") return true;
    throw error;
  }
}

function startsBlank(place: string): boolean {
  const descriptor = openSync(place, constants.O_RDONLY);
  try {
    const start = new Uint8Array(BLANK_BYTES);
    const length = readSync(descriptor, start, 0, BLANK_BYTES, 0);
    return length === BLANK_BYTES && start.every((byte) => byte === 0);
  } finally {
    closeSync(descriptor);
  }
}
