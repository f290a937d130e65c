import { existsSync } from "node:fs";
import { namesIn } from "../../host/directory.ts";
import { readFile } from "../../host/file.ts";
import { walk } from "../../host/install/check/tree.ts";
import { parseHookDefinition } from "../hook/definition.ts";
import type { HookFile } from "../hook/files.ts";
import type { Host } from "../target/host.ts";
import { readOwnedPaths } from "../target/owned-paths.ts";
import { type Process, rootOf } from "../target/processes.ts";
import { readServiceFlags } from "../target/service-flags.ts";
import { DEFAULT_HOOKS_DIR, OVERRIDE_HOOKS_DIR } from "./plan.ts";

// Where hooks are put that are then not loaded, the last by wasp-agent.
const USUAL_HOOK_FOLDERS = [DEFAULT_HOOKS_DIR, OVERRIDE_HOOKS_DIR, "/run/containers/oci/hooks.d"];

/** Where CRI-O looks for hooks. */
export interface HookSettings {
  /** In rising precedence. */
  readonly folders: readonly string[];
  /** The files that its settings are in, in rising precedence. */
  readonly files: readonly string[];
}

/**
 * Reads in which folders CRI-O looks for hooks, in rising precedence: by the flags and the environment of the one that
 * runs, its drop-ins, its file, or by default (cri-o internal/criocli/criocli.go, mergeConfig). Throws an error that
 * names the file that cannot be read.
 */
export function readHookSettings(host: Host, process: Process | undefined): HookSettings {
  const flags = readServiceFlags(host, "crio");
  const root = process === undefined ? host.fsroot : rootOf(host.fsroot, process);
  const setting = (variable: string, ...names: readonly string[]) =>
    names.map((name) => flags.valueOf(name)).find((value) => value !== undefined) ??
    flags.variableOf(variable);
  const config = setting("CONTAINER_CONFIG", "--config", "-c") ?? "/etc/crio/crio.conf";
  const dropIns = setting("CONTAINER_CONFIG_DIR", "--config-dir", "-d") ?? "/etc/crio/crio.conf.d";
  const paths = [root + config, ...walk(root + dropIns)].filter((path) => existsSync(path));
  const files = paths.map((path) => path.slice(root.length));
  const given = setting("CONTAINER_HOOKS_DIR", "--hooks-dir");
  if (given) return { folders: given.split(","), files };
  const inFiles = paths.map(hookFoldersIn).findLast((folders) => folders !== undefined);
  return { folders: inFiles ?? [DEFAULT_HOOKS_DIR], files };
}

function hookFoldersIn(path: string): readonly string[] | undefined {
  const folders = memberOf(
    memberOf(memberOf(parseToml(path, readFile(path)), "crio"), "runtime"),
    "hooks_dir",
  );
  return Array.isArray(folders) ? folders.filter((folder) => typeof folder === "string") : undefined;
}

function parseToml(path: string, text: string): unknown {
  try {
    return Bun.TOML.parse(text);
  } catch (error) {
    throw new Error(`${path} cannot be read as TOML: ${(error as Error).message}`);
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Reads all hooks in the folders named and where hooks usually are. Throws an error that names what cannot be read. */
export function readHookFiles(fsroot: string, folders: readonly string[]): HookFile[] {
  const all = new Set([...USUAL_HOOK_FOLDERS, ...folders]);
  return [...all].flatMap((folder) =>
    namesIn(fsroot + folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => readHookFile(fsroot, folder, name)),
  );
}

function readHookFile(fsroot: string, folder: string, name: string): HookFile {
  const definition = parseHookDefinition(readFile(`${fsroot}${folder}/${name}`));
  return {
    folder,
    name,
    definition,
    hasExecutable: "path" in definition && existsSync(fsroot + definition.path),
    owned: readOwnedPaths(fsroot, `${folder}/${name}`),
  };
}
