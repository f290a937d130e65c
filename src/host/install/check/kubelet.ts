import { readlinkSync } from "node:fs";
import { type CommandFlags, readFlags } from "../../../policy/install/check/command-flags.ts";
import {
  type KubeletSettings,
  mergeKubeletSettings,
} from "../../../policy/install/check/kubelet-settings.ts";
import { readFile, readFileIfThere } from "../../file.ts";
import { type Process, rootOf } from "./processes.ts";
import { walk } from "./tree.ts";
import { readUnitFiles } from "./unit-files.ts";

/** Finds the kubelet among the processes; undefined where none runs by that name. */
export function findKubelet(processes: readonly Process[]): Process | undefined {
  return processes.find(
    ({ name, argv }) => name === "kubelet" || (name === "hyperkube" && argv[1] === "kubelet"),
  );
}

/**
 * Reads what a kubelet is told of swap and memory: of the one that runs, or else of the one that would by its unit;
 * undefined where there is neither. Throws an error that names the file that cannot be read.
 */
export function readKubelet(fsroot: string, process: Process | undefined): KubeletSettings | undefined {
  const start = process === undefined ? startOfUnit(fsroot) : startOfProcess(fsroot, process);
  if (start === undefined) return undefined;
  const { root, folder, flags, flagsOf } = start;
  const absolute = (path: string) => (path.startsWith("/") ? path : `${folder}/${path}`);
  const config = flags.last("config");
  const dropInFolder = flags.last("config-dir");
  const configPath = config && absolute(config);
  const dropInPaths = dropInFolder
    ? walk(root + absolute(dropInFolder)).filter((path) => path.endsWith(".conf"))
    : [];
  const documents = {
    config: configPath ? parseDocument(root + configPath) : undefined,
    dropIns: dropInPaths.map(parseDocument),
  };
  const files = [...(configPath ? [configPath] : []), ...dropInPaths.map((path) => path.slice(root.length))];
  return { ...mergeKubeletSettings(documents, flags), files, flagsOf };
}

/** How a kubelet is started: what it sees as its root, where it is, and its flags. */
interface Start {
  readonly root: string;
  readonly folder: string;
  readonly flags: CommandFlags;
  /** What the flags were read of. */
  readonly flagsOf: string;
}

function startOfProcess(fsroot: string, process: Process): Start {
  const { pid, argv } = process;
  return {
    root: rootOf(fsroot, process),
    folder: folderOf(fsroot, pid),
    flags: readFlags(argv),
    flagsOf: `pid ${pid}`,
  };
}

function folderOf(fsroot: string, pid: number): string {
  try {
    return readlinkSync(`${fsroot}/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

const ENVIRONMENT_FILES = [
  "/var/lib/kubelet/kubeadm-flags.env",
  "/etc/default/kubelet",
  "/etc/sysconfig/kubelet",
];

// The flags may stand in variables of the unit's environment, as kubeadm has it: they are taken wherever they are.
function startOfUnit(fsroot: string): Start | undefined {
  const unit = readUnitFiles(fsroot, "kubelet.service");
  if (unit.length === 0) return undefined;
  const environment = ENVIRONMENT_FILES.flatMap((path) => readFileIfThere(fsroot + path) ?? []);
  const texts = [...unit.map(({ text }) => text.replace(/^\s*[#;].*$/gm, "")), ...environment];
  const words = texts.flatMap((text) => text.match(/--[a-z][\w-]*(?:=[^\s"'\\]*)?|[^\s"'\\=]+/g) ?? []);
  return {
    root: fsroot,
    folder: "",
    flags: readFlags(words),
    flagsOf: unit.map(({ path }) => path).join(", "),
  };
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
