/**
 * Containers on the node, started by podman with all that the kubelet and CRI-O give a pod's container, and what wasp's
 * hook made of them.
 */
import definition from "../../hooks.d/wasp-swap.json";
import { type Guest, type Outcome, quote } from "./guest.ts";
import { containerRootfs } from "./image.ts";

/** The OCI runtimes of the node. */
export const runtimes = ["runc", "crun"] as const;

/** An OCI runtime of the node. */
export type Runtime = (typeof runtimes)[number];

/** A container as the kubelet and CRI-O would have it started. */
export interface ContainerSpec {
  /** The pod's cgroup: a slice, or under the cgroupfs driver a path; podman's own default unless told. */
  cgroupParent?: string;
  /** The runtime's cgroup driver; systemd unless told. */
  cgroupManager?: "systemd" | "cgroupfs";
  oomScoreAdj: number;
  /** The memory limit, such as `64m`; none unless told. */
  memory?: string;
  /** What the memory limit and the swap limit come to; the memory limit unless told, which is how CRI-O denies swap. */
  memorySwap?: string;
  /** Files of the cgroup that the config sets by name. */
  unified?: Record<string, string>;
  /** Annotations besides those of every pod that comes from the API server. */
  annotations?: Record<string, string>;
  /** The folder with the hook's definition; the one where a real node has it unless told. */
  hooksFolder?: string;
}

/** What a container's first process found, and what the kernel's log says of its start. */
export interface StartedContainer {
  id: string;
  /** The levels that are the container's alone, from its process's cgroup up. */
  own: Level[];
  /** The levels above, from the pod's up. */
  above: Level[];
  log: LogLine[];
}

/** A level of the cgroup hierarchy. */
export interface Level {
  cgroup: string;
  /** Its memory.swap.max; Infinity for `max`. */
  swapMaxBytes: number;
}

/** A line of the hook's: its event, and its other fields by name, as printed. */
export type LogLine = { event: string } & Record<string, string>;

/** The folder that readLevels and a container's script find the host's cgroups in. */
export const hostCgroups = "/host-cgroup";

/** A script for a container that prints its cgroup and each one above, with its memory.swap.max. */
export const readLevels = `
cgroup=$(cut -d: -f3- /proc/self/cgroup)
while [ -n "$cgroup" ]; do
  echo "$cgroup $(cat "${hostCgroups}$cgroup/memory.swap.max")"
  cgroup=\${cgroup%/*}
done`;

/** The name of every test pod's container. */
export const containerName = "app";

const podAnnotations = {
  "io.kubernetes.pod.namespace": "default",
  "io.kubernetes.pod.name": "web-0",
  "io.kubernetes.container.name": containerName,
  "kubernetes.io/config.source": "api",
};

/** Starts a container whose first process reads its limits, and returns what it read; throws if it does not start. */
export async function startContainer(
  guest: Guest,
  runtime: Runtime,
  spec: ContainerSpec,
): Promise<StartedContainer> {
  const { code, stdout, stderr } = await runContainer(guest, runtime, spec, readLevels);
  if (code !== 0) throw new Error(`the container ended with ${code}: ${stderr}`);
  const levels = parseLevels(stdout);
  const scope = levels.findIndex(({ cgroup }) => /libpod-[0-9a-f]{64}(\.scope)?$/.test(cgroup));
  const id = levels[scope]?.cgroup.match(/[0-9a-f]{64}/)?.[0];
  if (id === undefined) throw new Error(`no container's cgroup among these:\n${stdout}`);
  return { id, own: levels.slice(0, scope + 1), above: levels.slice(scope + 1), log: await hookLog(guest) };
}

/** Runs a script as a container's first process; before it, hookLog is emptied. */
export async function runContainer(
  guest: Guest,
  runtime: Runtime,
  spec: ContainerSpec,
  script: string,
): Promise<Outcome> {
  return await guest.run(`dmesg --clear; ${podmanRun(runtime, spec, ["--rm"], script)}`);
}

/** Returns podman's command line for a container with this script. */
export function podmanRun(runtime: Runtime, spec: ContainerSpec, flags: string[], script: string): string {
  const { cgroupManager = "systemd", hooksFolder, cgroupParent, memory, memorySwap = memory } = spec;
  const command = [
    ...["podman", "--runtime", runtime, "--cgroup-manager", cgroupManager],
    ...(hooksFolder === undefined ? [] : ["--hooks-dir", hooksFolder]),
    ...["run", ...flags, "--network", "none", "--oom-score-adj", `${spec.oomScoreAdj}`],
    ...["--cgroupns", "host", "--volume", `/sys/fs/cgroup:${hostCgroups}:ro`],
    ...(cgroupParent === undefined ? [] : ["--cgroup-parent", cgroupParent]),
    ...(memory === undefined ? [] : ["--memory", memory, "--memory-swap", `${memorySwap}`]),
    ...pairs("--cgroup-conf", spec.unified ?? {}),
    ...pairs("--annotation", { ...podAnnotations, ...spec.annotations }),
    ...["--rootfs", `${containerRootfs}:O`, "sh", "-c", script],
  ];
  return command.map(quote).join(" ");
}

function pairs(flag: string, values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
}

/** Reads what readLevels printed. */
export function parseLevels(text: string): Level[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [cgroup = "", swapMax = ""] = line.split(" ");
      return { cgroup, swapMaxBytes: swapMax === "max" ? Number.POSITIVE_INFINITY : Number(swapMax) };
    });
}

/** Returns the limit that is in force: the lowest of all levels. */
export function effectiveLimit({ own, above }: Pick<StartedContainer, "own" | "above">): number {
  return Math.min(...[...own, ...above].map(({ swapMaxBytes }) => swapMaxBytes));
}

/** Returns the hook's lines in the kernel's log since the last runContainer began. */
export async function hookLog(guest: Guest): Promise<LogLine[]> {
  return parseHookLog(await guest.must("dmesg --notime"));
}

/** Finds the hook's lines in a log. */
export function parseHookLog(text: string): LogLine[] {
  return [...text.matchAll(/wasp\[\d+\]: hook: (\S+)(.*)/g)].map(([, event = "", fields = ""]) => ({
    event,
    ...Object.fromEntries(
      [...fields.matchAll(/ (\w+)=("(?:[^"\\]|\\.)*"|\S+)/g)].map(([, key, value = ""]) => [
        key,
        value.startsWith('"') ? JSON.parse(value) : value,
      ]),
    ),
  }));
}

/** Installs the hook's definition with more flags and returns its folder. */
export function installFlags(guest: Guest, flags: string[]): Promise<string> {
  return install(guest, { args: [...definition.hook.args, ...flags] });
}

/** Installs the hook's definition with a script in the hook's place, in a mount namespace, and returns its folder. */
export function installScript(guest: Guest, script: string): Promise<string> {
  return install(guest, { path: "/usr/bin/unshare", args: ["unshare", "--mount", "sh", "-c", script] });
}

async function install(guest: Guest, changes: Partial<typeof definition.hook>): Promise<string> {
  const variant = { ...definition, hook: { ...definition.hook, ...changes } };
  const script =
    "folder=$(mktemp --directory --tmpdir=/run hooks.d-XXXXXX); cat > $folder/wasp-swap.json; echo $folder";
  return (await guest.must(script, { stdin: JSON.stringify(variant) })).trim();
}
