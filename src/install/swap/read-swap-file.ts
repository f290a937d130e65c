import { readdirSync } from "node:fs";
import type { Host } from "../target/host.ts";
import { folderOf, isNothing, statOf } from "../target/locate.ts";
import { follow } from "../target/read-host.ts";
import type { FilePlace, FileSystem } from "./facts.ts";
import { readSignatures } from "./read-signatures.ts";

/** Reads the place of a swap file; its file system only on a running host. */
export function readFilePlace(host: Host, path: string): FilePlace {
  const place = follow(host, path);
  const stat = statOf(place);
  const isReadable = stat?.isFile() === true && host.isRunning;
  return {
    kind: "file",
    path,
    realPath: place.slice(host.fsroot.length),
    present:
      stat === undefined
        ? undefined
        : { bytes: stat.size, signatures: isReadable ? readSignatures(host, path) : [] },
    fileSystem: host.isRunning ? readFileSystem(host, nearestFolder(host, path)) : undefined,
  };
}

/** Returns the innermost existing folder of a path. */
function nearestFolder(host: Host, path: string): string {
  const folder = folderOf(path);
  return folder === "/" || statOf(follow(host, folder)) !== undefined ? folder : nearestFolder(host, folder);
}

interface Findmnt {
  readonly filesystems: readonly {
    readonly fstype: string;
    readonly options: string;
    readonly size: number | string;
    readonly avail: number | string;
    readonly uuid: string | null;
  }[];
}

function readFileSystem(host: Host, folder: string): FileSystem {
  const columns = "FSTYPE,OPTIONS,SIZE,AVAIL,UUID";
  const output = host.run(["findmnt", "--json", "--bytes", "--target", folder, "--output", columns]);
  const [found] = (JSON.parse(output) as Findmnt).filesystems;
  if (found === undefined) throw new Error(`findmnt knows no file system of ${folder}`);
  const { fstype, options, size, avail, uuid } = found;
  return {
    type: fstype,
    isReadOnly: options.split(",").includes("ro"),
    totalBytes: Number(size),
    availableBytes: Number(avail),
    deviceCount: fstype === "btrfs" && uuid !== null ? countBtrfsDevices(host, uuid) : undefined,
  };
}

function countBtrfsDevices({ fsroot }: Host, uuid: string): number | undefined {
  try {
    return readdirSync(`${fsroot}/sys/fs/btrfs/${uuid}/devices`).length;
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}
