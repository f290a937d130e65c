/** Containers on the node, which podman starts with the settings of the kubelet and CRI-O, and the log of wasp's hook. */
import definition from "../../hooks.d/wasp-swap.json";
import { type Guest, type Outcome, quote } from "./guest.ts";
import { containerRootfs } from "./image-recipe.ts";

/** OCI runtimes of the node. */
export const runtimes = ["runc", "crun"] as const;

/** One of these runtimes. */
export type Runtime = (typeof runtimes)[number];

/** Settings of a container, as the kubelet and CRI-O would choose them. */
export interface ContainerSpec {
  /** Pod cgroup: a slice, or a path under the cgroupfs driver; podman's own by default. */
  cgroupParent?: string;
  /** Cgroup driver of the runtime; systemd by default. */
  cgroupManager?: "systemd" | "cgroupfs";
  oomScoreAdj: number;
  /** Memory limit, such as `64m`; none by default. */
  memory?: string;
  /** Sum of memory limit and swap limit; by default the memory limit, which is how CRI-O denies swap. */
  memorySwap?: string;
  /** Files of the cgroup that the OCI config sets by name. */
  unified?: Record<string, string>;
  /** Annotations in addition to those of every pod from the API server. */
  annotations?: Record<string, string>;
  /** Folder with the hook's definition; by default the one of a real node. */
  hooksFolder?: string;
}

/** Limits that a container's first process read, and the hook's entries in the kernel log. */
export interface StartedContainer {
  id: string;
  /** The container's own levels, innermost first. */
  own: Level[];
  /** Levels above, from the pod cgroup up. */
  above: Level[];
  log: LogLine[];
}

/** A level of the cgroup hierarchy. */
export interface Level {
  cgroup: string;
  /** Value of memory.swap.max; Infinity for `max`. */
  swapMaxBytes: number;
}

/** Log line of the hook: its event, and its other fields by name, as printed. */
export type LogLine = { event: string } & Record<string, string>;

/** Folder of the node's cgroups inside of a container. */
export const hostCgroups = "/host-cgroup";

/** Script for a container that prints its cgroup and each parent, with memory.swap.max. */
export const readLevels = `
cgroup=$(cut -d: -f3- /proc/self/cgroup)
while [ -n "$cgroup" ]; do
  echo "$cgroup $(cat "${hostCgroups}$cgroup/memory.swap.max")"
  cgroup=\${cgroup%/*}
done`;

/** Name of the container in every test pod. */
export const containerName = "app";

const podAnnotations = {
  "io.kubernetes.pod.namespace": "default",
  "io.kubernetes.pod.name": "web-0",
  "io.kubernetes.container.name": containerName,
  "kubernetes.io/config.source": "api",
};

/** Starts a container whose first process reads its limits, and returns them; throws if it does not start. */
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

/** Clears the kernel log, and runs a script as a container's first process. */
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

/** Parses the output of `readLevels`. */
export function parseLevels(text: string): Level[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [cgroup = "", swapMax = ""] = line.split(" ");
      return { cgroup, swapMaxBytes: swapMax === "max" ? Number.POSITIVE_INFINITY : Number(swapMax) };
    });
}

/** Returns the effective limit: the lowest of all levels. */
export function effectiveLimit({ own, above }: Pick<StartedContainer, "own" | "above">): number {
  return Math.min(...[...own, ...above].map(({ swapMaxBytes }) => swapMaxBytes));
}

/** Returns the hook's lines in the kernel log since the last `runContainer`. */
export async function hookLog(guest: Guest): Promise<LogLine[]> {
  return parseHookLog(await guest.must("dmesg --notime"));
}

/** Parses the hook's lines in a log. */
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

/** Installs the hook's definition with additional flags, and returns its folder. */
export function installFlags(guest: Guest, flags: string[]): Promise<string> {
  return install(guest, { args: [...definition.hook.args, ...flags] });
}

/** Installs the hook's definition with another program in the place of wasp, and returns its folder. */
export function installProgram(guest: Guest, program: string): Promise<string> {
  return install(guest, {
    args: definition.hook.args.map((arg) => (arg === "/usr/local/bin/wasp" ? program : arg)),
  });
}

/** Installs a definition that runs a script instead of the hook, in a mount namespace, and returns its folder. */
export function installScript(guest: Guest, script: string): Promise<string> {
  return install(guest, { path: "/usr/bin/unshare", args: ["unshare", "--mount", "sh", "-c", script] });
}

async function install(guest: Guest, changes: Partial<typeof definition.hook>): Promise<string> {
  const variant = { ...definition, hook: { ...definition.hook, ...changes } };
  const script =
    "folder=$(mktemp --directory --tmpdir=/run hooks.d-XXXXXX); cat > $folder/wasp-swap.json; echo $folder";
  return (await guest.must(script, { stdin: JSON.stringify(variant) })).trim();
}
