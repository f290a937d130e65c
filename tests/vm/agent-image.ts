/** The agent's image on the node, with exactly the rights that its manifest grants. */
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

/** Arguments of the agent in the manifest. */
export const manifestArgs: readonly string[] = args;

/** Files of the manifest's ConfigMap, by name. */
export const manifestConfig: Readonly<Record<string, string>> = find(objects, "ConfigMap").data;

/** Returns the mount path of a volume in the manifest. */
export function mountPathOf(volume: string): string {
  return volumeMounts.find(({ name }: { name: string }) => name === volume).mountPath;
}

/** Builds the image and loads it on the node; throws if it is not the manifest's. */
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
  if (!loaded.includes(image)) throw new Error(`podman loaded another image than ${image}: ${loaded}`);
}

/** Settings of a container of the image, in addition to the manifest's. */
export interface ImageRun {
  flags: readonly string[];
  env?: Readonly<Record<string, string>>;
  args: readonly string[];
}

/** Returns the podman command that runs the image with the container settings of the DaemonSet's manifest. */
export function imageCommand(runtime: Runtime, { flags, env = {}, args }: ImageRun): string {
  const memory = resources.limits.memory.replace("Mi", "m");
  const command = [
    ...["podman", "--runtime", runtime, "--cgroup-manager", "systemd", "run", ...flags],
    // The kubelet's settings, where podman has other defaults.
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
  // Without a flag, podman uses the default seccomp profile and no privileges.
  const { privileged, allowPrivilegeEscalation, seccompProfile, ...unknown } = rest;
  if (privileged || seccompProfile.type !== "RuntimeDefault" || Object.keys(unknown).length > 0)
    throw new Error(`no podman flags are known for this security context: ${JSON.stringify(rest)}`);
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
