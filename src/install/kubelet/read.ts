import { readNodeCapacity } from "../../host/meminfo.ts";
import { comesAfterDropIn, DROP_IN } from "../engine/drop-in.ts";
import type { Host } from "../target/host.ts";
import { findProgram, isThere, regularFilesBelow } from "../target/read-host.ts";
import { readSettingsFile } from "../target/settings-file.ts";
import { memberOf } from "../target/table.ts";
import { parseBooleanFlag } from "./effective.ts";
import type { KubeletFacts } from "./facts.ts";
import { type KubeletFlags, readKubeletFlags } from "./read-flags.ts";

/** Settings in one file of a kubelet; undefined where the file does not set one. */
interface KubeletFile {
  readonly path: string;
  readonly failSwapOn: boolean | undefined;
  readonly evictionSoft: string | undefined;
  readonly swapBehavior: string | undefined;
  /** The error of a file that cannot be parsed. */
  readonly problem: string | undefined;
}

const MEMORY_SIGNAL = "memory.available";

/**
 * Reads the facts by which a host's kubelet is planned, from the files below the host's root. Drop-ins, in their folder
 * and all folders below it, override the kubelet's file (kubernetes cmd/kubelet/app/server.go,
 * mergeKubeletConfigurations). Throws where an existing file cannot be read.
 */
export function readKubeletFacts(host: Host): KubeletFacts {
  const flags = readKubeletFlags(host);
  const { configFile, dropInFolder, dropIns, all } = readKubeletFiles(host, flags);
  // Without wasp's own drop-in: a second run has to plan the same as the first.
  const files = all.filter(({ path }) => path !== `${dropInFolder}/${DROP_IN}`);
  const later = files.filter(
    ({ path }) =>
      dropInFolder !== undefined && dropIns.includes(path) && comesAfterDropIn(dropInFolder, path),
  );
  return {
    isThere: flags.isThere || flags.startedBy !== undefined || findProgram(host, "kubelet") !== undefined,
    configFile,
    isConfigKnown: flags.isThere && (configFile === undefined || isThere(host, configFile)),
    startedBy: flags.startedBy,
    dropInFolder,
    failSwapOnNow: all
      .flatMap(({ path, failSwapOn }) => (failSwapOn === undefined ? [] : { value: failSwapOn, setBy: path }))
      .at(-1),
    failSwapOn: files.findLast(({ failSwapOn }) => failSwapOn !== undefined)?.failSwapOn,
    evictionSoft:
      thresholdInFlag(flags.valueOf("--eviction-soft")) ??
      files.findLast(({ evictionSoft }) => evictionSoft !== undefined)?.evictionSoft,
    limitsSwap: limitsSwap(files),
    memoryTotalBytes: host.isRunning ? readNodeCapacity(host.fsroot).memoryTotalBytes : undefined,
    failSwapOnFlag: parseBooleanFlag(flags.valueOf("--fail-swap-on")),
    contradictedBy: later.findLast(({ failSwapOn }) => failSwapOn === true)?.path,
    problems: files.flatMap(({ problem }) => problem ?? []),
  };
}

/**
 * Returns true if a host's kubelet gives containers swap limits itself, by its files; false for a host without kubelet, such
 * as a container in which only some of its folders are mounted. Throws where an existing file cannot be read.
 */
export function readKubeletLimitsSwap(host: Host): boolean {
  return limitsSwap(readKubeletFiles(host, readKubeletFlags(host)).all);
}

function limitsSwap(files: readonly KubeletFile[]): boolean {
  return files.findLast(({ swapBehavior }) => swapBehavior !== undefined)?.swapBehavior === "LimitedSwap";
}

function readKubeletFiles(host: Host, flags: KubeletFlags) {
  const configFile = flags.valueOf("--config");
  const dropInFolder = flags.valueOf("--config-dir")?.replace(/\/+$/, "");
  const dropIns = dropInFolder === undefined ? [] : dropInsIn(host, dropInFolder);
  const paths = [...(configFile === undefined ? [] : [configFile]), ...dropIns];
  return { configFile, dropInFolder, dropIns, all: paths.map((path) => readKubeletFile(host, path)) };
}

function dropInsIn(host: Host, folder: string): readonly string[] {
  return regularFilesBelow(host, folder).filter((path) => path.endsWith(".conf"));
}

function readKubeletFile(host: Host, path: string): KubeletFile {
  const { table, problem } = readSettingsFile(host, path, "YAML");
  const { failSwapOn, evictionSoft, memorySwap } = table;
  const swapBehavior = memberOf(memorySwap, "swapBehavior");
  const threshold = memberOf(evictionSoft, MEMORY_SIGNAL);
  return {
    path,
    failSwapOn: typeof failSwapOn === "boolean" ? failSwapOn : undefined,
    evictionSoft: typeof threshold === "string" ? threshold : undefined,
    swapBehavior: typeof swapBehavior === "string" ? swapBehavior : undefined,
    problem,
  };
}

// As in memory.available<1Gi,nodefs.available<10%.
function thresholdInFlag(flag: string | undefined): string | undefined {
  const own = flag?.split(",").find((threshold) => threshold.startsWith(`${MEMORY_SIGNAL}<`));
  return own?.slice(MEMORY_SIGNAL.length + 1);
}
