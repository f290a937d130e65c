import { readdirSync } from "node:fs";
import { readFile, readFileIfThere, unlessGone, unlessMissing } from "../../host/file.ts";
import { valueOfKey } from "../../host/key-values.ts";
import { readLimit } from "../../host/swap-limit.ts";
import { parseKubepodsPath } from "../../policy/kubernetes/pod-cgroup.ts";
import type { Host } from "../target/host.ts";
import type { SwappedCgroup } from "./removal.ts";

/**
 * Reads the cgroups of a running host that have a limit of memory and of which something is swapped out, on cgroup v2;
 * one that goes meanwhile is left out. Throws an error that names the file that cannot be read.
 */
export function readSwappedCgroups({ fsroot, isRunning }: Host): readonly SwappedCgroup[] {
  return isRunning ? readBelow(`${fsroot}/sys/fs/cgroup`, "") : [];
}

function readBelow(mount: string, path: string): readonly SwappedCgroup[] {
  const children = unlessGone(() => readdirSync(mount + path, { withFileTypes: true })) ?? [];
  return children
    .filter((child) => child.isDirectory())
    .flatMap(({ name }) => {
      const child = `${path}/${name}`;
      const swapBytes = Number(readFileIfThere(`${mount}${child}/memory.swap.current`) ?? 0);
      // It counts what is below, too.
      if (swapBytes === 0) return [];
      return [
        ...(unlessMissing(() => readLimited(mount + child, nameOf(child), swapBytes)) ?? []),
        ...readBelow(mount, child),
      ];
    });
}

function readLimited(directory: string, name: string, swapBytes: number): readonly SwappedCgroup[] {
  const stat = readFile(`${directory}/memory.stat`);
  const maxBytes = readLimit(`${directory}/memory.max`);
  const highBytes = readLimit(`${directory}/memory.high`);
  const limitBytes = Math.min(maxBytes, highBytes);
  if (limitBytes === Number.POSITIVE_INFINITY) return [];
  const droppable = ["active_file", "inactive_file", "slab_reclaimable"].map((field) =>
    valueOfKey(stat, field),
  );
  const currentBytes = Number(readFile(`${directory}/memory.current`));
  return [
    {
      name,
      // What has come back, and is still kept in swap, is in both figures.
      swapBytes: Math.max(0, swapBytes - valueOfKey(stat, "swapcached")),
      residentBytes: Math.max(0, currentBytes - droppable.reduce((sum, bytes) => sum + bytes, 0)),
      limitBytes,
      limitFile: limitBytes === maxBytes ? "memory.max" : "memory.high",
    },
  ];
}

function nameOf(path: string): string {
  const cgroup = parseKubepodsPath(path);
  if (cgroup?.level === "pod") return `pod ${cgroup.pod.podUid}`;
  if (cgroup?.level !== "container") return path;
  return `container ${cgroup.containerId.slice(0, SHOWN_DIGITS)} of pod ${cgroup.pod.podUid}`;
}

// As crictl shows them.
const SHOWN_DIGITS = 13;
