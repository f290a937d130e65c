/** The agent's image on the node, run with no more than its manifest gives it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Arch, writeImage } from "../../build.ts";
import { build, find } from "../manifests/kustomize.ts";
import { WASP } from "../node/binary.ts";
import type { Runtime } from "./container.ts";
import { type Guest, quote } from "./guest.ts";

const objects = build();
const { image, args, securityContext, resources, volumeMounts } = find(objects, "DaemonSet").spec.template
  .spec.containers[0];

/** The arguments that the manifest gives the agent. */
export const manifestArgs: readonly string[] = args;

/** The files of the manifest's ConfigMap, by name. */
export const manifestConfig: Readonly<Record<string, string>> = find(objects, "ConfigMap").data;

/** Where the manifest has a volume. */
export function mountPathOf(volume: string): string {
  return volumeMounts.find(({ name }: { name: string }) => name === volume).mountPath;
}

/** Makes the image and loads it on the node; throws when it is not the manifest's. */
export async function loadImage(guest: Guest): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "wasp-image-"));
  try {
    const archive = join(folder, "image.tar");
    await writeImage(WASP, archive, process.arch as Arch, "0123456789ab");
    await guest.push(archive, "/run/wasp-image.tar");
  } finally {
    await rm(folder, { recursive: true });
  }
  const loaded = await guest.must("podman load --quiet --input /run/wasp-image.tar; rm /run/wasp-image.tar");
  if (!loaded.includes(image)) throw new Error(`loaded is not ${image}, but: ${loaded}`);
}

/** How a container of the image is run, besides what its manifest says. */
export interface ImageRun {
  flags: readonly string[];
  env?: Readonly<Record<string, string>>;
  args: readonly string[];
}

/** Returns the command that runs the image as the DaemonSet does, by what its manifest says of the container. */
export function imageCommand(runtime: Runtime, { flags, env = {}, args }: ImageRun): string {
  const memory = resources.limits.memory.replace("Mi", "m");
  const command = [
    ...["podman", "--runtime", runtime, "--cgroup-manager", "systemd", "run", ...flags],
    // As the kubelet has it, whatever podman's own default.
    ...["--cgroupns", "private", "--read-only-tmpfs=false", "--memory", memory],
    ...securityFlags(),
    ...cgroupFlags(),
    ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ...[image, ...args],
  ];
  return command.map(quote).join(" ");
}

function securityFlags(): string[] {
  const { runAsUser, runAsGroup, capabilities, readOnlyRootFilesystem, ...rest } = securityContext;
  // What podman does without a flag: the default seccomp profile, and no privilege.
  const { privileged, allowPrivilegeEscalation, seccompProfile, ...unknown } = rest;
  if (privileged || seccompProfile.type !== "RuntimeDefault" || Object.keys(unknown).length > 0)
    throw new Error(`podman is not told yet of this security context: ${JSON.stringify(rest)}`);
  return [
    ...["--user", `${runAsUser}:${runAsGroup}`],
    ...capabilities.drop.map((name: string) => `--cap-drop=${name.toLowerCase()}`),
    `--read-only=${readOnlyRootFilesystem}`,
    ...(allowPrivilegeEscalation ? [] : ["--security-opt=no-new-privileges"]),
  ];
}

function cgroupFlags(): string[] {
  const { mountPath, readOnly } = volumeMounts.find(({ name }: { name: string }) => name === "cgroup");
  return ["--volume", `/sys/fs/cgroup:${mountPath}${readOnly ? ":ro" : ""}`];
}
