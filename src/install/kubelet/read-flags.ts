import type { Host } from "../target/host.ts";
import {
  filesIn,
  isThere,
  type NamedProcess,
  processesNamed,
  type RunningProcess,
  readIfThere,
} from "../target/read-host.ts";
import {
  flagsIn,
  readServiceFlags,
  readUnitFlags,
  type ServiceFlags,
  UNIT_FOLDERS,
} from "../target/service-flags.ts";
import { DISTRIBUTIONS, type Distribution, MICROK8S_FLAGS, rancherPlaces } from "./distribution.ts";

/** How a kubelet is started, and by whom. */
export interface KubeletFlags extends ServiceFlags {
  /** The process that it is, or is a part of; undefined where it does not run. */
  readonly process: RunningProcess | undefined;
  /** What starts it, with the unit of systemd that this is; undefined for kubelet.service. */
  readonly startedBy: (Distribution & { readonly unit: string }) | undefined;
}

/** Reads the flags of a host's kubelet: of its process, of the distribution that starts it, or of its unit. */
export function readKubeletFlags(host: Host): KubeletFlags {
  const running = processesNamed(host, "kubelet", ...DISTRIBUTIONS.flatMap(({ processes }) => processes));
  const process = running.find(({ comm }) => comm === "kubelet");
  const hasOwnService = process !== undefined || hasUnit(host, "kubelet.service");
  const startedBy = findStarter(host, running, hasOwnService);
  if (process !== undefined || startedBy === undefined)
    return { ...readServiceFlags(host, "kubelet"), process, startedBy };
  const words = wordsOf(host, startedBy, startedBy.unit);
  const embracing = isEmbracing(startedBy) ? processOf(startedBy, running) : undefined;
  return { ...flagsIn(words, () => undefined), process: embracing, startedBy };
}

// The unit of one that does not run may be left from before there was another kubelet.
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
  return UNIT_FOLDERS.some((folder) => isThere(host, `${folder}/${unit}`));
}

/** Whether the kubelet is a part of the distribution's own process, and not one beside it. */
function isEmbracing({ name }: Distribution): boolean {
  return name === "k3s" || name === "MicroK8s";
}

/** What the kubelet is started with; undefined where that cannot be told before it runs. */
function wordsOf(host: Host, { name }: Distribution, unit: string): readonly string[] | undefined {
  switch (name) {
    case "k3s":
    case "rke2":
      return wordsOfRancher(host, name, unit);
    case "MicroK8s":
      return wordsOfMicroK8s(host);
    default:
      return undefined;
  }
}

/**
 * Its own process shows no flags: they are in its unit, and in its file where that has none (docs.k3s.io, installation,
 * configuration). Since 1.32 it has the kubelet read a folder of drop-ins, in which it says failSwapOn: false in
 * 00-NAME-defaults.conf; before, it said so by a flag (k3s pkg/daemons/agent).
 */
function wordsOfRancher(host: Host, name: string, unit: string): readonly string[] {
  const flags = readUnitFlags(host, unit);
  const files = filesOfRancher(host, flags.valueOf("--config") ?? rancherPlaces(name).config);
  const data = flags.valueOf("--data-dir") ?? files.findLast((file) => "data-dir" in file)?.["data-dir"];
  const folder = `${typeof data === "string" ? data : rancherPlaces(name).data}/agent/etc/kubelet.conf.d`;
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

type RancherFile = Readonly<Record<string, unknown>>;

function filesOfRancher(host: Host, config: string): readonly RancherFile[] {
  const dropIns = filesIn(host, `${config}.d`).filter((path) => /\.ya?ml$/.test(path));
  return [config, ...dropIns].map((path) => parseMapping(path, readIfThere(host, path) ?? ""));
}

function parseMapping(path: string, text: string): RancherFile {
  try {
    const parsed: unknown = Bun.YAML.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as RancherFile) : {};
  } catch (error) {
    throw new Error(`${path} cannot be read as YAML: ${(error as Error).message}`);
  }
}

interface Arguments {
  readonly ofUnit: readonly string[];
  readonly ofFiles: readonly string[];
}

// A later file's list takes the place of an earlier one's, and the unit's of any, unless its name ends with a plus.
function withArguments({ ofUnit, ofFiles }: Arguments, file: RancherFile): Arguments {
  const [own, more] = ["kubelet-arg", "kubelet-arg+"].map((name) =>
    name in file ? [file[name]].flat().map(String) : undefined,
  );
  const base = ofUnit.length > 0 ? ofFiles : (own ?? ofFiles);
  return { ofUnit, ofFiles: [...base, ...(more ?? [])] };
}

function wordsOfMicroK8s(host: Host): readonly string[] | undefined {
  const text = readIfThere(host, MICROK8S_FLAGS);
  return text
    ?.replace(/^\s*#.*$/gm, "")
    .replace(/\$\{?SNAP_DATA\}?/g, "/var/snap/microk8s/current")
    .replace(/\$\{?SNAP_COMMON\}?/g, "/var/snap/microk8s/common")
    .replace(/["']/g, "")
    .trim()
    .split(/\s+/);
}
