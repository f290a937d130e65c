import { existsSync } from "node:fs";
import { type ArgvProcess, findProcess } from "../target/processes.ts";
import type { EffectiveKubelet } from "./effective.ts";
import type { ContainerRuntime } from "./rules.ts";

/**
 * Returns the container runtime that the kubelet uses: by its configured endpoint, else the one that is running, else the
 * one that is installed.
 */
export function readRuntime(
  fsroot: string,
  kubelet: EffectiveKubelet | undefined,
  processes: readonly ArgvProcess[],
): ContainerRuntime | undefined {
  const endpoint = kubelet?.runtimeEndpoint ?? "";
  if (endpoint.includes("crio")) return "cri-o";
  if (endpoint.includes("containerd")) return "containerd";
  if (findProcess(processes, "crio")) return "cri-o";
  if (findProcess(processes, "containerd")) return "containerd";
  if (isInstalled(fsroot, "crio")) return "cri-o";
  return isInstalled(fsroot, "containerd") ? "containerd" : undefined;
}

const FOLDERS = ["/usr/bin", "/usr/local/bin"];

function isInstalled(fsroot: string, program: string): boolean {
  return FOLDERS.some((folder) => existsSync(`${fsroot}${folder}/${program}`));
}
