import { TOML_DROP_IN } from "../engine/drop-in.ts";
import { readKubeletFlags } from "../kubelet/read-flags.ts";
import type { Host } from "../target/host.ts";
import { filesIn, processesNamed, programOf, readIfThere } from "../target/read-host.ts";
import { readServiceFlags } from "../target/service-flags.ts";
import { isTable, isTexts, readSettings } from "../target/settings-file.ts";
import { type ContainerdFacts, NRI_FILE, NRI_LINES, NRI_TABLE } from "./plan.ts";

const CONFIG_FILE = "/etc/containerd/config.toml";

/** What wasp needs to know of one file of containerd's configuration. */
interface Settings {
  readonly path: string;
  readonly imports: readonly string[];
  readonly isCriOff: boolean;
  readonly hasNri: boolean;
  readonly isNriDisabled: boolean | undefined;
  readonly refusesConnections: boolean;
  readonly problem?: string;
}

// By its names of today and of before.
const CRI_NAMES = ["cri", "io.containerd.grpc.v1.cri"];

/** Reads how a host's containerd is configured; throws where a file that is there cannot be read. */
export function readContainerdFacts(host: Host): ContainerdFacts {
  const flags = readServiceFlags(host, "containerd");
  const configFile = flags.valueOf("--config") ?? flags.valueOf("-c") ?? CONFIG_FILE;
  const main = settingsOf(host, configFile);
  const folders = main.imports.flatMap((pattern) => folderOfAll(pattern, configFile) ?? []);
  const files = [main, ...folders.flatMap((folder) => filesOf(host, folder))];
  const nri = files.findLast(({ hasNri }) => hasNri);
  const program = programOf(host, "containerd");
  return {
    // Its files stay when it goes; a distribution has it in a place of its own.
    isThere: program !== undefined || processesNamed(host, "containerd").length > 0,
    distribution: readKubeletFlags(host).startedBy?.name,
    version: program === undefined || !host.isRunning ? undefined : versionOf(host, program),
    configFile,
    isConfigured: isOfOthers(host, configFile),
    importedFolder: folders.at(-1),
    isCriOff: files.some(({ isCriOff }) => isCriOff),
    nri: nri === undefined ? undefined : { file: nri.path, isDisabled: nri.isNriDisabled },
    connectionsRefusedBy: files.findLast(({ refusesConnections }) => refusesConnections)?.path,
    problems: files.flatMap(({ problem }) => problem ?? []),
  };
}

// What wasp configures is left out, here and below: a second run has to plan what the first did.
function isOfOthers(host: Host, path: string): boolean {
  const text = readIfThere(host, path);
  return text !== undefined && text !== NRI_FILE;
}

function filesOf(host: Host, folder: string): readonly Settings[] {
  const own = `${folder}/${TOML_DROP_IN}`;
  const paths = filesIn(host, folder).filter((path) => path.endsWith(".toml") && path !== own);
  return paths.map((path) => settingsOf(host, path));
}

// As in conf.d/*.toml, which is below the folder of the file that says it.
function folderOfAll(pattern: string, configFile: string): string | undefined {
  const folder = /^(.*)\/\*\.toml$/.exec(pattern)?.[1];
  if (folder === undefined || /[*?[\\]/.test(folder)) return undefined;
  return folder.startsWith("/") ? folder : `${configFile.slice(0, configFile.lastIndexOf("/"))}/${folder}`;
}

function versionOf(host: Host, program: string): string | undefined {
  // As in "containerd github.com/containerd/containerd/v2 v2.1.4 6d2…"; Debian leaves the v out.
  return /\sv?(\d+\.\d+[.\d]*)/.exec(host.run([program, "--version"]))?.[1];
}

function settingsOf(host: Host, path: string): Settings {
  const { table, ...read } = readSettings(host, path, "TOML", withoutOwnLines);
  const { imports, plugins, disabled_plugins: disabled } = table;
  const nri = isTable(plugins) ? plugins[NRI_TABLE] : undefined;
  const { disable, disable_connections: refuses } = isTable(nri) ? nri : {};
  const off = isTexts(disabled) ? disabled : [];
  const isNriOff = off.includes(NRI_TABLE);
  return {
    path,
    imports: isTexts(imports) ? imports : [],
    isCriOff: CRI_NAMES.some((name) => off.includes(name)),
    hasNri: isNriOff || isTable(nri),
    isNriDisabled: isNriOff ? true : typeof disable === "boolean" ? disable : undefined,
    refusesConnections: refuses === true,
    ...read,
  };
}

function withoutOwnLines(text: string): string {
  if (text === NRI_FILE) return "";
  return text
    .split("\n")
    .filter((line) => !NRI_LINES.includes(line))
    .join("\n");
}
