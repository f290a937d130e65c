import { comesAfterDropIn, DROP_IN } from "../engine/drop-in.ts";
import type { Host } from "../target/host.ts";
import { filesBelow, isThere, programOf } from "../target/read-host.ts";
import { readServiceFlags, type ServiceFlags } from "../target/service-flags.ts";
import { isTable, isTexts, readSettings } from "../target/settings-file.ts";
import { type CrioFacts, DEFAULT_HOOKS_DIR } from "./plan.ts";

const CONFIG_FILE = "/etc/crio/crio.conf";
const DROP_IN_FOLDER = "/etc/crio/crio.conf.d";

/** What one file of CRI-O's configuration says. */
interface Settings {
  readonly hooks_dir?: unknown;
  readonly default_runtime?: unknown;
  readonly runtimes?: unknown;
}

/**
 * Reads how a host's CRI-O is configured: by its flags and its environment, the drop-ins in a folder and all below it,
 * its file, or by default (cri-o internal/criocli/criocli.go, pkg/config/config.go UpdateFromPath). Throws where a file
 * that is there cannot be read.
 */
export function readCrioFacts(host: Host): CrioFacts {
  const flags = readServiceFlags(host, "crio");
  const configFile = settingOf(flags, "--config", "CONTAINER_CONFIG")?.value ?? CONFIG_FILE;
  const dropInFolder = settingOf(flags, "--config-dir", "CONTAINER_CONFIG_DIR")?.value ?? DROP_IN_FOLDER;
  // What wasp configures is left out: a second run has to plan what the first did.
  const dropIns = filesBelow(host, dropInFolder).filter((path) => path !== `${dropInFolder}/${DROP_IN}`);
  const files = [configFile, ...dropIns].map((path) => settingsOf(host, path));
  const hooksFile = files.findLast(({ settings }) => isTexts(settings.hooks_dir));
  const hooksGiven = settingOf(flags, "--hooks-dir", "CONTAINER_HOOKS_DIR");
  const hooksDirs = hooksGiven?.value.split(",") ?? hooksFile?.settings.hooks_dir;
  const isLater = hooksFile !== undefined && comesAfterDropIn(dropInFolder, hooksFile.path);
  const runtimes = files.flatMap(({ settings: { runtimes } }) =>
    isTable(runtimes) ? Object.keys(runtimes) : [],
  );
  const runtime = files.findLast(({ settings }) => typeof settings.default_runtime === "string");
  return {
    isThere:
      flags.isThere ||
      isThere(host, configFile) ||
      dropIns.length > 0 ||
      programOf(host, "crio") !== undefined,
    hooksDirs: isTexts(hooksDirs)
      ? hooksDirs.map((folder) => folder.replace(/\/+$/, ""))
      : [DEFAULT_HOOKS_DIR],
    hooksDirsSetBy: hooksGiven === undefined ? hooksFile?.path : `${hooksGiven.by} of CRI-O`,
    isHooksDirFixed: hooksGiven !== undefined || (isLater && dropIns.includes(hooksFile.path)),
    dropInFolder,
    defaultRuntime:
      settingOf(flags, "--default-runtime", "CONTAINER_DEFAULT_RUNTIME")?.value ??
      (runtime?.settings.default_runtime as string | undefined),
    handlers: [...new Set(runtimes)],
    problems: files.flatMap(({ problem }) => problem ?? []),
  };
}

/** What is set by a flag, or else by a variable that CRI-O reads; undefined where neither is given. */
function settingOf(
  flags: ServiceFlags,
  flag: string,
  variable: string,
): { readonly value: string; readonly by: string } | undefined {
  const value = flags.valueOf(flag);
  if (value !== undefined) return { value, by: `the flag ${flag}` };
  // An empty one is none.
  const ofEnvironment = flags.variableOf(variable) ?? "";
  return ofEnvironment === "" ? undefined : { value: ofEnvironment, by: `the variable ${variable}` };
}

function settingsOf(host: Host, path: string): { path: string; settings: Settings; problem?: string } {
  const { table, ...read } = readSettings(host, path, "TOML");
  const runtime = isTable(table["crio"]) ? table["crio"]["runtime"] : undefined;
  return { path, settings: isTable(runtime) ? runtime : {}, ...read };
}
