import { type CrioFacts, DEFAULT_HOOKS_DIR } from "../../../policy/install/crio.ts";
import { DROP_IN } from "../../../policy/install/drop-in.ts";
import type { Host } from "../host.ts";
import { filesIn, isExecutable, isThere, readIfThere } from "../read-host.ts";
import { readServiceFlags } from "../service-flags.ts";

const CONFIG_FILE = "/etc/crio/crio.conf";
const DROP_IN_FOLDER = "/etc/crio/crio.conf.d";

/** What one file of CRI-O's configuration says. */
interface Settings {
  readonly hooks_dir?: unknown;
  readonly default_runtime?: unknown;
  readonly runtimes?: unknown;
}

/** Reads how a host's CRI-O is configured; throws where a file that is there cannot be read. */
export function readCrioFacts(host: Host): CrioFacts {
  const flags = readServiceFlags(host, "crio");
  const configFile = flags.valueOf("--config") ?? CONFIG_FILE;
  const dropInFolder = flags.valueOf("--config-dir") ?? DROP_IN_FOLDER;
  // What wasp configures is left out: a second run has to plan what the first did.
  const dropIns = filesIn(host, dropInFolder).filter((path) => path !== `${dropInFolder}/${DROP_IN}`);
  const files = [configFile, ...dropIns].map((path) => readSettings(host, path));
  const hooksFile = files.findLast(({ settings }) => isTexts(settings.hooks_dir));
  const hooksFlag = flags.valueOf("--hooks-dir");
  const hooksDirs = hooksFlag?.split(",") ?? hooksFile?.settings.hooks_dir;
  const isLater = hooksFile !== undefined && hooksFile.path > `${dropInFolder}/${DROP_IN}`;
  const runtimes = files.flatMap(({ settings: { runtimes } }) =>
    isTable(runtimes) ? Object.keys(runtimes) : [],
  );
  const runtime = files.findLast(({ settings }) => typeof settings.default_runtime === "string");
  return {
    isThere: flags.isThere || isThere(host, configFile) || dropIns.length > 0 || isInstalled(host),
    hooksDirs: isTexts(hooksDirs)
      ? hooksDirs.map((folder) => folder.replace(/\/+$/, ""))
      : [DEFAULT_HOOKS_DIR],
    hooksDirsSetBy: hooksFlag === undefined ? hooksFile?.path : "the flag --hooks-dir of CRI-O",
    isHooksDirFixed: hooksFlag !== undefined || (isLater && dropIns.includes(hooksFile.path)),
    dropInFolder,
    defaultRuntime: runtime?.settings.default_runtime as string | undefined,
    handlers: [...new Set(runtimes)],
    problems: files.flatMap(({ problem }) => problem ?? []),
  };
}

function isInstalled(host: Host): boolean {
  return ["/usr/bin/crio", "/usr/local/bin/crio"].some((path) => isExecutable(host, path));
}

function readSettings(host: Host, path: string): { path: string; settings: Settings; problem?: string } {
  try {
    const config: unknown = Bun.TOML.parse(readIfThere(host, path) ?? "");
    const crio = isTable(config) ? config["crio"] : undefined;
    const runtime = isTable(crio) ? crio["runtime"] : undefined;
    return { path, settings: isTable(runtime) ? runtime : {} };
  } catch (error) {
    return {
      path,
      settings: {},
      problem: `${path} is not TOML that wasp can read: ${(error as Error).message}`,
    };
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
