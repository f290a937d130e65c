import { readNodeMemory } from "../../host/meminfo.ts";
import { type SwapOptions, type SwapTarget, targetOf } from "../engine/options.ts";
import type { Host } from "../target/host.ts";
import { follow, isExecutable, isThere, readIfThere } from "../target/read-host.ts";
import { parseSwaps, type SwapArea } from "./areas.ts";
import type { SwapFacts, ZramPlace } from "./facts.ts";
import { readDevice } from "./read-swap-device.ts";
import { readFilePlace } from "./read-swap-file.ts";
import { SWAP_LABEL, SWAP_SCRIPT_PATH } from "./script.ts";
import { effectiveOptions, specInScript } from "./spec.ts";
import { ZRAM_STATE_PATH } from "./zram-script.ts";

type Active = Pick<SwapFacts, "memory" | "active" | "others">;

/**
 * Reads the swap of a host and the state of the selected target, without changing anything. Of an image it reads only
 * files. Throws if an existing file cannot be read, or if a command fails.
 */
export function readSwapFacts(host: Host, options: SwapOptions): SwapFacts {
  const script = readIfThere(host, SWAP_SCRIPT_PATH);
  const target = targetOf(effectiveOptions(options, script));
  const place = target === undefined ? undefined : readPlace(host, target);
  return {
    ...readActive(host, target),
    place,
    script,
    missingPrograms: programsFor(place).filter((program) => !hasProgram(host, program)),
  };
}

/** Reads the usage of wasp's own swap, and the memory that has to take it when it is turned off. */
export function readOwnSwap(host: Host): Active {
  return readActive(host, readOwnTarget(host));
}

/**
 * Reads the files and devices that a running host swaps to, for settings of systemd. Wasp's own device has the persistent
 * name that it was set up by.
 */
export function readSwappedTo(host: Host): readonly string[] {
  if (!host.isRunning) return [];
  const target = readOwnTarget(host);
  const own = target === undefined ? undefined : areaPathOf(host, target);
  return readAreas(host).map(({ name }) => (name === own && target?.kind === "device" ? target.path : name));
}

function readOwnTarget(host: Host): SwapTarget | undefined {
  const script = readIfThere(host, SWAP_SCRIPT_PATH);
  return script === undefined ? undefined : specInScript(script)?.target;
}

function readActive(host: Host, target: SwapTarget | undefined): Active {
  if (!host.isRunning) return { memory: undefined, active: undefined, others: [] };
  const { memoryTotalBytes, memoryAvailableBytes } = readNodeMemory(host.fsroot);
  const areas = readAreas(host);
  const path = target === undefined ? undefined : areaPathOf(host, target);
  return {
    memory: { totalBytes: memoryTotalBytes, availableBytes: memoryAvailableBytes },
    active: areas.find((area) => area.name === path),
    others: areas.filter((area) => area.name !== path),
  };
}

/** Reads the active areas; none if the kernel has no /proc/swaps. */
function readAreas(host: Host): readonly SwapArea[] {
  return parseSwaps(readIfThere(host, "/proc/swaps") ?? "");
}

/** Returns the path of a target's area in /proc/swaps; undefined if it does not exist. */
function areaPathOf(host: Host, target: SwapTarget): string | undefined {
  if (target.kind === "zram") {
    const number = readIfThere(host, ZRAM_STATE_PATH)?.trim();
    return number === undefined ? undefined : `/dev/zram${number}`;
  }
  const isMapped = target.kind === "device" && target.isEncrypted;
  const place = follow(host, isMapped ? `/dev/mapper/${SWAP_LABEL}` : target.path);
  return place.slice(host.fsroot.length);
}

function readPlace(host: Host, target: SwapTarget): NonNullable<SwapFacts["place"]> {
  switch (target.kind) {
    case "file":
      return readFilePlace(host, target.path);
    case "device":
      return { ...target, device: readDevice(host, target.path) };
    case "zram":
      return { kind: "zram", isPossible: hasZram(host) };
  }
}

function hasZram(host: Host): ZramPlace["isPossible"] {
  if (!host.isRunning) return undefined;
  if (isThere(host, "/sys/class/zram-control")) return true;
  try {
    host.run(["modprobe", "--dry-run", "zram"]);
    return true;
  } catch {
    return false;
  }
}

function programsFor(place: SwapFacts["place"]): readonly string[] {
  switch (place?.kind) {
    case undefined:
      return [];
    case "file": {
      const programs = ["mkswap", "blkid", "fallocate"];
      return place.fileSystem?.type === "btrfs" ? [...programs, "chattr"] : programs;
    }
    case "device": {
      const programs = ["mkswap", "blkid", "wipefs"];
      return place.isEncrypted ? [...programs, "cryptsetup"] : programs;
    }
    case "zram":
      return ["mkswap", "swapon", ...(place.isPossible === undefined ? ["modprobe"] : [])];
  }
}

function hasProgram(host: Host, program: string): boolean {
  return ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].some((folder) =>
    isExecutable(host, `${folder}/${program}`),
  );
}
