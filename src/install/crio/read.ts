import { comesAfterDropIn, DROP_IN } from "../engine/drop-in.ts";
import type { Host } from "../target/host.ts";
import { findProgram, isThere, regularFilesBelow } from "../target/read-host.ts";
import { readServiceFlags, type ServiceFlags } from "../target/service-flags.ts";
import { readSettingsFile } from "../target/settings-file.ts";
import { areStrings, memberOf, tableOf } from "../target/table.ts";
import { type CrioFacts, DEFAULT_HOOKS_DIR } from "./plan.ts";

const CONFIG_FILE = "/etc/crio/crio.conf";
const DROP_IN_FOLDER = "/etc/crio/crio.conf.d";

/** Settings of [crio.runtime] in one file of CRI-O; undefined where the file does not set one. */
interface CrioFile {
  readonly path: string;
  readonly hooksDirs: readonly string[] | undefined;
  readonly defaultRuntime: string | undefined;
  readonly handlers: readonly string[];
  /** The error of a file that cannot be parsed. */
  readonly problem: string | undefined;
}

/**
 * Reads the facts by which a host's CRI-O is planned, from the files below the host's root: its flags and its environment
 * override the drop-ins, in their folder and all folders below it, and these override its file (cri-o
 * internal/criocli/criocli.go, pkg/config/config.go UpdateFromPath). Throws where an existing file cannot be read.
 */
export function readCrioFacts(host: Host): CrioFacts {
  const flags = readServiceFlags(host, "crio");
  const configFile = settingOf(flags, "--config", "CONTAINER_CONFIG")?.value ?? CONFIG_FILE;
  const dropInFolder = settingOf(flags, "--config-dir", "CONTAINER_CONFIG_DIR")?.value ?? DROP_IN_FOLDER;
  // Without wasp's own drop-in: a second run has to plan the same as the first.
  const dropIns = regularFilesBelow(host, dropInFolder).filter(
    (path) => path !== `${dropInFolder}/${DROP_IN}`,
  );
  const files = [configFile, ...dropIns].map((path) => readCrioFile(host, path));
  const hooksFile = files.findLast(({ hooksDirs }) => hooksDirs !== undefined);
  const hooksGiven = settingOf(flags, "--hooks-dir", "CONTAINER_HOOKS_DIR");
  const hooksDirs = hooksGiven?.value.split(",") ?? hooksFile?.hooksDirs;
  const isLater = hooksFile !== undefined && comesAfterDropIn(dropInFolder, hooksFile.path);
  return {
    isThere:
      flags.isThere ||
      isThere(host, configFile) ||
      dropIns.length > 0 ||
      findProgram(host, "crio") !== undefined,
    hooksDirs: hooksDirs?.map((folder) => folder.replace(/\/+$/, "")) ?? [DEFAULT_HOOKS_DIR],
    hooksDirsSetBy: hooksGiven === undefined ? hooksFile?.path : `${hooksGiven.by} of CRI-O`,
    isHooksDirFixed: hooksGiven !== undefined || (isLater && dropIns.includes(hooksFile.path)),
    dropInFolder,
    defaultRuntime:
      settingOf(flags, "--default-runtime", "CONTAINER_DEFAULT_RUNTIME")?.value ??
      files.findLast(({ defaultRuntime }) => defaultRuntime !== undefined)?.defaultRuntime,
    handlers: [...new Set(files.flatMap(({ handlers }) => handlers))],
    problems: files.flatMap(({ problem }) => problem ?? []),
  };
}

/** Returns the value of a flag, or else of a variable that CRI-O reads; undefined where neither is given. */
function settingOf(
  flags: ServiceFlags,
  flag: string,
  variable: string,
): { readonly value: string; readonly by: string } | undefined {
  const value = flags.valueOf(flag);
  if (value !== undefined) return { value, by: `the flag ${flag}` };
  // CRI-O ignores an empty variable.
  const ofEnvironment = flags.variableOf(variable) ?? "";
  return ofEnvironment === "" ? undefined : { value: ofEnvironment, by: `the variable ${variable}` };
}

function readCrioFile(host: Host, path: string): CrioFile {
  const { table, problem } = readSettingsFile(host, path, "TOML");
  const runtime = memberOf(table["crio"], "runtime");
  const hooksDirs = memberOf(runtime, "hooks_dir");
  const defaultRuntime = memberOf(runtime, "default_runtime");
  return {
    path,
    hooksDirs: areStrings(hooksDirs) ? hooksDirs : undefined,
    defaultRuntime: typeof defaultRuntime === "string" ? defaultRuntime : undefined,
    handlers: Object.keys(tableOf(memberOf(runtime, "runtimes"))),
    problem,
  };
}
