import { TOML_DROP_IN } from "../engine/drop-in.ts";
import { readKubeletFlags } from "../kubelet/read-flags.ts";
import type { Host } from "../target/host.ts";
import { readProcessesByComm } from "../target/processes.ts";
import { filesIn, findProgram, readIfThere } from "../target/read-host.ts";
import { readServiceFlags } from "../target/service-flags.ts";
import { readSettingsFile } from "../target/settings-file.ts";
import { areStrings, isTable, tableOf } from "../target/table.ts";
import { type ContainerdFacts, NRI_FILE, NRI_LINES, NRI_TABLE } from "./plan.ts";

const CONFIG_FILE = "/etc/containerd/config.toml";

/** Settings in one file of containerd that wasp reads. */
interface ContainerdFile {
  readonly path: string;
  readonly imports: readonly string[];
  readonly isCriOff: boolean;
  readonly hasNri: boolean;
  readonly isNriDisabled: boolean | undefined;
  readonly refusesConnections: boolean;
  /** The error of a file that cannot be parsed. */
  readonly problem: string | undefined;
}

// Its present name, and its former one.
const CRI_NAMES = ["cri", "io.containerd.grpc.v1.cri"];

/** Reads the facts by which a host's containerd is planned; throws where an existing file cannot be read. */
export function readContainerdFacts(host: Host): ContainerdFacts {
  const flags = readServiceFlags(host, "containerd");
  const configFile = flags.valueOf("--config") ?? flags.valueOf("-c") ?? CONFIG_FILE;
  const main = readContainerdFile(host, configFile);
  const folders = main.imports.flatMap((pattern) => folderOfAll(pattern, configFile) ?? []);
  const files = [main, ...folders.flatMap((folder) => filesOf(host, folder))];
  const nri = files.findLast(({ hasNri }) => hasNri);
  const program = findProgram(host, "containerd");
  return {
    // Its files stay when it is removed, and a distribution has it in its own folder.
    isThere: program !== undefined || readProcessesByComm(host, "containerd").length > 0,
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

// Without wasp's own settings, here and below: a second run has to plan the same as the first.
function isOfOthers(host: Host, path: string): boolean {
  const text = readIfThere(host, path);
  return text !== undefined && text !== NRI_FILE;
}

function filesOf(host: Host, folder: string): readonly ContainerdFile[] {
  const own = `${folder}/${TOML_DROP_IN}`;
  const paths = filesIn(host, folder).filter((path) => path.endsWith(".toml") && path !== own);
  return paths.map((path) => readContainerdFile(host, path));
}

// As in conf.d/*.toml, which is relative to the folder of the importing file.
function folderOfAll(pattern: string, configFile: string): string | undefined {
  const folder = /^(.*)\/\*\.toml$/.exec(pattern)?.[1];
  if (folder === undefined || /[*?[\\]/.test(folder)) return undefined;
  return folder.startsWith("/") ? folder : `${configFile.slice(0, configFile.lastIndexOf("/"))}/${folder}`;
}

function versionOf(host: Host, program: string): string | undefined {
  // As in "containerd github.com/containerd/containerd/v2 v2.1.4 6d2…"; Debian leaves the v out.
  return /\sv?(\d+\.\d+[.\d]*)/.exec(host.run([program, "--version"]))?.[1];
}

function readContainerdFile(host: Host, path: string): ContainerdFile {
  const { table, problem } = readSettingsFile(host, path, "TOML", withoutOwnLines);
  const { imports, plugins, disabled_plugins: disabled } = table;
  const nri = isTable(plugins) ? plugins[NRI_TABLE] : undefined;
  const { disable, disable_connections: refuses } = tableOf(nri);
  const off = areStrings(disabled) ? disabled : [];
  const isNriOff = off.includes(NRI_TABLE);
  return {
    path,
    imports: areStrings(imports) ? imports : [],
    isCriOff: CRI_NAMES.some((name) => off.includes(name)),
    hasNri: isNriOff || isTable(nri),
    isNriDisabled: isNriOff ? true : typeof disable === "boolean" ? disable : undefined,
    refusesConnections: refuses === true,
    problem,
  };
}

function withoutOwnLines(text: string): string {
  if (text === NRI_FILE) return "";
  return text
    .split("\n")
    .filter((line) => !NRI_LINES.includes(line))
    .join("\n");
}
