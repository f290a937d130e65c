import type { Host } from "../target/host.ts";
import { type NamedProcess, type RunningProcess, readProcessesByComm } from "../target/processes.ts";
import { filesIn, isThere, readIfThere } from "../target/read-host.ts";
import {
  flagsIn,
  PERSISTENT_UNIT_FOLDERS,
  readServiceFlags,
  readUnitFlags,
  type ServiceFlags,
} from "../target/service-flags.ts";
import { isTable, type Table } from "../target/table.ts";
import { DISTRIBUTIONS, type Distribution, MICROK8S_FLAGS, rancherPaths } from "./distribution.ts";

/** Flags of a kubelet, and the distribution that starts it. */
export interface KubeletFlags extends ServiceFlags {
  /** The kubelet's process, or the process that it is a part of; undefined where it does not run. */
  readonly process: RunningProcess | undefined;
  /** The distribution that starts it, and that one's systemd unit; undefined for kubelet.service. */
  readonly startedBy: (Distribution & { readonly unit: string }) | undefined;
}

/** Reads the flags of a host's kubelet: of its process, of the distribution that starts it, or of its unit. */
export function readKubeletFlags(host: Host): KubeletFlags {
  const running = readProcessesByComm(
    host,
    "kubelet",
    ...DISTRIBUTIONS.flatMap(({ processes }) => processes),
  );
  const process = running.find(({ comm }) => comm === "kubelet");
  const hasOwnService = process !== undefined || hasUnit(host, "kubelet.service");
  const startedBy = findStarter(host, running, hasOwnService);
  if (process !== undefined || startedBy === undefined)
    return { ...readServiceFlags(host, "kubelet"), process, startedBy };
  const words = argumentsOf(host, startedBy, startedBy.unit);
  const enclosing = runsKubeletInProcess(startedBy) ? processOf(startedBy, running) : undefined;
  return { ...flagsIn(words, () => undefined), process: enclosing, startedBy };
}

// The unit of a distribution that does not run may be left over from before another kubelet was installed.
function findStarter(
  host: Host,
  running: readonly NamedProcess[],
  hasOwnService: boolean,
): KubeletFlags["startedBy"] {
  const found = DISTRIBUTIONS.flatMap((distribution) => {
    const unit = distribution.units.find((name) => hasUnit(host, name));
    const runs = processOf(distribution, running) !== undefined;
    return unit === undefined && !runs
      ? []
      : [{ ...distribution, unit: unit ?? distribution.units[0] ?? "", runs }];
  });
  return found.find(({ runs }) => runs) ?? (hasOwnService ? undefined : found[0]);
}

function processOf({ processes }: Distribution, running: readonly NamedProcess[]) {
  return running.find(({ comm }) => processes.includes(comm));
}

function hasUnit(host: Host, unit: string): boolean {
  return PERSISTENT_UNIT_FOLDERS.some((folder) => isThere(host, `${folder}/${unit}`));
}

/** Returns true if the kubelet is a part of the distribution's process, and not a process beside it. */
function runsKubeletInProcess({ name }: Distribution): boolean {
  return name === "k3s" || name === "MicroK8s";
}

/** Returns the kubelet's arguments; undefined where they are not known before it runs. */
function argumentsOf(host: Host, { name }: Distribution, unit: string): readonly string[] | undefined {
  switch (name) {
    case "k3s":
    case "rke2":
      return rancherArguments(host, name, unit);
    case "MicroK8s":
      return microK8sArguments(host);
    default:
      return undefined;
  }
}

/**
 * Returns the arguments of a kubelet of k3s or rke2. Its process shows no flags: they are in its unit, and in its file
 * where the unit has none (docs.k3s.io, installation, configuration). Since 1.32 the kubelet reads a folder of drop-ins,
 * where 00-NAME-defaults.conf sets failSwapOn: false; before, a flag set it (k3s pkg/daemons/agent).
 */
function rancherArguments(host: Host, name: string, unit: string): readonly string[] {
  const flags = readUnitFlags(host, unit);
  const files = rancherFiles(host, flags.valueOf("--config") ?? rancherPaths(name).config);
  const data = flags.valueOf("--data-dir") ?? files.findLast((file) => "data-dir" in file)?.["data-dir"];
  const folder = `${typeof data === "string" ? data : rancherPaths(name).data}/agent/etc/kubelet.conf.d`;
  const given = files.reduce(withArguments, { ofUnit: flags.valuesOf("--kubelet-arg"), ofFiles: [] });
  return [
    ...(isThere(host, folder) ? [`--config-dir=${folder}`] : OLD_RANCHER_FLAGS),
    ...[...given.ofUnit, ...given.ofFiles].map((argument) => `--${argument.replace(/^-+/, "")}`),
  ];
}

const OLD_RANCHER_FLAGS = [
  "--fail-swap-on=false",
  "--eviction-hard=imagefs.available<5%,nodefs.available<5%",
];

function rancherFiles(host: Host, config: string): readonly Table[] {
  const dropIns = filesIn(host, `${config}.d`).filter((path) => /\.ya?ml$/.test(path));
  return [config, ...dropIns].map((path) => parseMapping(path, readIfThere(host, path) ?? ""));
}

function parseMapping(path: string, text: string): Table {
  try {
    const parsed: unknown = Bun.YAML.parse(text);
    return isTable(parsed) ? parsed : {};
  } catch (error) {
    throw new Error(`${path} cannot be read as YAML: ${(error as Error).message}`);
  }
}

interface Arguments {
  readonly ofUnit: readonly string[];
  readonly ofFiles: readonly string[];
}

// A later file's list replaces an earlier one's, and the unit's replaces both, unless its name ends with a plus.
function withArguments({ ofUnit, ofFiles }: Arguments, file: Table): Arguments {
  const [own, more] = ["kubelet-arg", "kubelet-arg+"].map((name) =>
    name in file ? [file[name]].flat().map(String) : undefined,
  );
  const base = ofUnit.length > 0 ? ofFiles : (own ?? ofFiles);
  return { ofUnit, ofFiles: [...base, ...(more ?? [])] };
}

function microK8sArguments(host: Host): readonly string[] | undefined {
  const text = readIfThere(host, MICROK8S_FLAGS);
  return text
    ?.replace(/^\s*#.*$/gm, "")
    .replace(/\$\{?SNAP_DATA\}?/g, "/var/snap/microk8s/current")
    .replace(/\$\{?SNAP_COMMON\}?/g, "/var/snap/microk8s/common")
    .replace(/["']/g, "")
    .trim()
    .split(/\s+/);
}
