import { existsSync } from "node:fs";
import { readFile } from "../../host/file.ts";
import type { Host } from "../target/host.ts";
import { type RunningProcess, rootOf } from "../target/processes.ts";
import { entriesBelow } from "../target/read-host.ts";
import { readServiceFlags } from "../target/service-flags.ts";
import { memberOf } from "../target/table.ts";
import { DEFAULT_HOOKS_DIR } from "./plan.ts";

/** Folders from which CRI-O loads hooks, and the files that configure it. */
export interface EffectiveHookFolders {
  /** The folders, in rising precedence. */
  readonly folders: readonly string[];
  /** The files that configure CRI-O, in rising precedence. */
  readonly files: readonly string[];
}

/**
 * Reads the folders from which CRI-O loads hooks, wasp's own drop-in included: by the flags and the environment of the
 * running one, the files that it sees in its own mount namespace, or by default (cri-o internal/criocli/criocli.go,
 * mergeConfig). Throws an error that names the file that cannot be read.
 */
export function readEffectiveHookFolders(
  host: Host,
  process: RunningProcess | undefined,
): EffectiveHookFolders {
  const flags = readServiceFlags(host, "crio");
  const root = process === undefined ? host.fsroot : rootOf(host.fsroot, process);
  const setting = (variable: string, ...names: readonly string[]) =>
    names.map((name) => flags.valueOf(name)).find((value) => value !== undefined) ??
    flags.variableOf(variable);
  const config = setting("CONTAINER_CONFIG", "--config", "-c") ?? "/etc/crio/crio.conf";
  const dropIns = setting("CONTAINER_CONFIG_DIR", "--config-dir", "-d") ?? "/etc/crio/crio.conf.d";
  const paths = [root + config, ...entriesBelow(root + dropIns)].filter((path) => existsSync(path));
  const files = paths.map((path) => path.slice(root.length));
  const given = setting("CONTAINER_HOOKS_DIR", "--hooks-dir");
  if (given) return { folders: given.split(","), files };
  const inFiles = paths.map(hookFoldersIn).findLast((folders) => folders !== undefined);
  return { folders: inFiles ?? [DEFAULT_HOOKS_DIR], files };
}

function hookFoldersIn(path: string): readonly string[] | undefined {
  const runtime = memberOf(memberOf(parseToml(path, readFile(path)), "crio"), "runtime");
  const folders = memberOf(runtime, "hooks_dir");
  return Array.isArray(folders) ? folders.filter((folder) => typeof folder === "string") : undefined;
}

function parseToml(path: string, text: string): unknown {
  try {
    return Bun.TOML.parse(text);
  } catch (error) {
    throw new Error(`${path} cannot be read as TOML: ${(error as Error).message}`);
  }
}
