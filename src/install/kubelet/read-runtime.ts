import { existsSync } from "node:fs";
import { findProcess, type Process } from "../target/processes.ts";
import type { ContainerRuntime } from "./check-facts.ts";
import type { KubeletSettings } from "./settings.ts";

/** Tells which container runtime the kubelet uses: by its own word, else by what runs, else by what is installed. */
export function readRuntime(
  fsroot: string,
  kubelet: KubeletSettings | undefined,
  processes: readonly Process[],
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
