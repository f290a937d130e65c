import { readdirSync } from "node:fs";
import { readFile, readFileIfThere, unlessGone, unlessMissing } from "../../host/file.ts";
import { valueOfKey } from "../../host/key-values.ts";
import { readLimit } from "../../host/swap-limit.ts";
import { parseKubepodsPath } from "../../policy/kubernetes/pod-cgroup.ts";
import type { Host } from "../target/host.ts";
import type { SwappedCgroup } from "./removal.ts";

/**
 * Reads the cgroups (v2) of a running host with a memory limit and with memory in swap; one that disappears meanwhile is
 * left out. Throws an error that names a file that cannot be read.
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
      // The figure is hierarchical: no descendant has memory in swap either.
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
      // Pages that were swapped in and still have a copy in swap count in both figures.
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
  return `container ${cgroup.containerId.slice(0, SHOWN_ID_DIGITS)} of pod ${cgroup.pod.podUid}`;
}

// As many as crictl shows.
const SHOWN_ID_DIGITS = 13;
