import { DROP_IN } from "../../../policy/install/drop-in.ts";
import type { KubeletFacts } from "../../../policy/install/kubelet.ts";
import { readNodeCapacity } from "../../meminfo.ts";
import type { Host } from "../host.ts";
import { filesIn, isExecutable, readIfThere } from "../read-host.ts";
import { readServiceFlags } from "../service-flags.ts";

/** What wasp needs to know of a KubeletConfiguration. */
interface Settings {
  readonly failSwapOn?: boolean;
  readonly evictionSoft?: string;
  readonly swapBehavior?: string;
}

const SIGNAL = "memory.available";

/** Reads how a host's kubelet is configured; throws where a file that is there cannot be read. */
export function readKubeletFacts(host: Host): KubeletFacts {
  const flags = readServiceFlags(host, "kubelet");
  const configFile = flags.valueOf("--config");
  const dropInFolder = flags.valueOf("--config-dir")?.replace(/\/+$/, "");
  // What wasp configures is left out: a second run has to plan what the first did.
  const dropIns = (dropInFolder === undefined ? [] : filesIn(host, dropInFolder)).filter(
    (path) => path.endsWith(".conf") && !path.endsWith(`/${DROP_IN}`),
  );
  const files = [...(configFile === undefined ? [] : [configFile]), ...dropIns].map((path) =>
    readSettings(host, path),
  );
  const later = files.filter(({ path }) => dropIns.includes(path) && path > `${dropInFolder}/${DROP_IN}`);
  const failFlag = flags.valueOf("--fail-swap-on");
  return {
    isThere: flags.isThere || isInstalled(host),
    configFile,
    dropInFolder,
    failSwapOn: files.findLast(({ settings }) => settings.failSwapOn !== undefined)?.settings.failSwapOn,
    evictionSoft:
      thresholdIn(flags.valueOf("--eviction-soft")) ??
      files.findLast(({ settings }) => settings.evictionSoft !== undefined)?.settings.evictionSoft,
    limitsSwap:
      files.findLast(({ settings }) => settings.swapBehavior !== undefined)?.settings.swapBehavior ===
      "LimitedSwap",
    memoryTotalBytes: host.isRunning ? readNodeCapacity(host.fsroot).memoryTotalBytes : undefined,
    failSwapOnFlag: failFlag === undefined ? undefined : failFlag === "true",
    contradictedBy: later.findLast(({ settings }) => settings.failSwapOn === true)?.path,
    problems: files.flatMap(({ problem }) => problem ?? []),
  };
}

function isInstalled(host: Host): boolean {
  return ["/usr/bin/kubelet", "/usr/local/bin/kubelet"].some((path) => isExecutable(host, path));
}

function readSettings(host: Host, path: string): { path: string; settings: Settings; problem?: string } {
  try {
    return { path, settings: settingsIn(Bun.YAML.parse(readIfThere(host, path) ?? "")) };
  } catch (error) {
    return {
      path,
      settings: {},
      problem: `${path} is not YAML that wasp can read: ${(error as Error).message}`,
    };
  }
}

function settingsIn(config: unknown): Settings {
  const { failSwapOn, evictionSoft, memorySwap } = isMapping(config) ? config : {};
  const swapBehavior = isMapping(memorySwap) ? memorySwap["swapBehavior"] : undefined;
  const soft = isMapping(evictionSoft) ? evictionSoft[SIGNAL] : undefined;
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

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
