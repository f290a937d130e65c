import { readlinkSync } from "node:fs";
import { readFile } from "../../host/file.ts";
import { readNodeCapacity } from "../../host/meminfo.ts";
import { comesAfterDropIn, DROP_IN } from "../engine/drop-in.ts";
import type { Host } from "../target/host.ts";
import { rootOf } from "../target/processes.ts";
import { filesBelow, isThere, programOf, type RunningProcess, walk } from "../target/read-host.ts";
import { isTable, readSettings, type Table } from "../target/settings-file.ts";
import type { KubeletFlags } from "./read-flags.ts";
import { readKubeletFlags } from "./read-flags.ts";
import type { KubeletFacts } from "./settings.ts";
import { type KubeletSettings, mergeKubeletSettings, readSwitch } from "./settings.ts";

/** What wasp needs to know of a KubeletConfiguration. */
interface Settings {
  readonly failSwapOn?: boolean;
  readonly evictionSoft?: string;
  readonly swapBehavior?: string;
}

const SIGNAL = "memory.available";

/**
 * Reads how a host's kubelet is configured: its drop-ins in a folder and all below it count for more than its file
 * (kubernetes cmd/kubelet/app/server.go, mergeKubeletConfigurations). Throws where a file that is there cannot be read.
 */
export function readKubeletFacts(host: Host): KubeletFacts {
  const flags = readKubeletFlags(host);
  const configFile = flags.valueOf("--config");
  const dropInFolder = flags.valueOf("--config-dir")?.replace(/\/+$/, "");
  const dropIns = dropInFolder === undefined ? [] : dropInsIn(host, dropInFolder);
  const all = [...(configFile === undefined ? [] : [configFile]), ...dropIns].map((path) =>
    settingsOf(host, path),
  );
  // What wasp configures is left out: a second run has to plan what the first did.
  const files = all.filter(({ path }) => path !== `${dropInFolder}/${DROP_IN}`);
  const later = files.filter(
    ({ path }) =>
      dropInFolder !== undefined && dropIns.includes(path) && comesAfterDropIn(dropInFolder, path),
  );
  const failFlag = flags.valueOf("--fail-swap-on");
  return {
    isThere: flags.isThere || flags.startedBy !== undefined || programOf(host, "kubelet") !== undefined,
    configFile,
    isConfigKnown: flags.isThere && (configFile === undefined || isThere(host, configFile)),
    startedBy: flags.startedBy,
    dropInFolder,
    failSwapOnNow: all
      .flatMap(({ path, settings: { failSwapOn } }) =>
        failSwapOn === undefined ? [] : { value: failSwapOn, setBy: path },
      )
      .at(-1),
    failSwapOn: files.findLast(({ settings }) => settings.failSwapOn !== undefined)?.settings.failSwapOn,
    evictionSoft:
      thresholdIn(flags.valueOf("--eviction-soft")) ??
      files.findLast(({ settings }) => settings.evictionSoft !== undefined)?.settings.evictionSoft,
    limitsSwap:
      files.findLast(({ settings }) => settings.swapBehavior !== undefined)?.settings.swapBehavior ===
      "LimitedSwap",
    memoryTotalBytes: host.isRunning ? readNodeCapacity(host.fsroot).memoryTotalBytes : undefined,
    failSwapOnFlag: readSwitch(failFlag),
    contradictedBy: later.findLast(({ settings }) => settings.failSwapOn === true)?.path,
    problems: files.flatMap(({ problem }) => problem ?? []),
  };
}

function dropInsIn(host: Host, folder: string): readonly string[] {
  return filesBelow(host, folder).filter((path) => path.endsWith(".conf"));
}

function settingsOf(host: Host, path: string): { path: string; settings: Settings; problem?: string } {
  const { table, ...read } = readSettings(host, path, "YAML");
  return { path, settings: settingsIn(table), ...read };
}

function settingsIn({ failSwapOn, evictionSoft, memorySwap }: Table): Settings {
  const swapBehavior = isTable(memorySwap) ? memorySwap["swapBehavior"] : undefined;
  const soft = isTable(evictionSoft) ? evictionSoft[SIGNAL] : undefined;
  return {
    ...(typeof failSwapOn === "boolean" ? { failSwapOn } : {}),
    ...(typeof swapBehavior === "string" ? { swapBehavior } : {}),
    ...(typeof soft === "string" ? { evictionSoft: soft } : {}),
  };
}

// As in memory.available<1Gi,nodefs.available<10%.
function thresholdIn(flag: string | undefined): string | undefined {
  const own = flag?.split(",").find((threshold) => threshold.startsWith(`${SIGNAL}<`));
  return own?.slice(SIGNAL.length + 1);
}

/**
 * Reads what a kubelet is told of swap and memory: the one that runs, or else the one that would by its unit; undefined
 * where there is neither. Throws an error that names the file that cannot be read.
 */
export function readKubelet(host: Host, flags: KubeletFlags): KubeletSettings | undefined {
  const { process, startedBy } = flags;
  if (!flags.isThere && startedBy !== undefined)
    throw new Error(
      `${startedBy.name} starts the kubelet, and with what is not to be told while it does not run`,
    );
  if (!flags.isThere) return undefined;
  const root = process === undefined ? host.fsroot : rootOf(host.fsroot, process);
  const absolute = (path: string) =>
    path.startsWith("/") || process === undefined ? path : `${folderOf(host.fsroot, process)}/${path}`;
  const config = flags.valueOf("--config");
  const configPaths = config ? [root + absolute(config)] : [];
  const dropInFolder = flags.valueOf("--config-dir");
  const all = dropInFolder ? walk(root + absolute(dropInFolder)) : [];
  const dropInPaths = all.filter((path) => path.endsWith(".conf"));
  const documents = { config: configPaths.map(parseDocument)[0], dropIns: dropInPaths.map(parseDocument) };
  return {
    ...mergeKubeletSettings(documents, flags.valueOf),
    startedBy,
    readsDropIns: dropInFolder !== undefined,
    files: [...configPaths, ...dropInPaths].map((path) => path.slice(root.length)),
  };
}

function folderOf(fsroot: string, { pid }: RunningProcess): string {
  return readlinkSync(`${fsroot}/proc/${pid}/cwd`);
}

// A kubelet takes JSON too, which is YAML.
function parseDocument(path: string): unknown {
  const text = readFile(path);
  try {
    return Bun.YAML.parse(text);
  } catch (error) {
    throw new Error(`${path} cannot be read as YAML: ${(error as Error).message}`);
  }
}
