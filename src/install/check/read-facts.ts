import { existsSync } from "node:fs";
import { readCanLimitSwap, readCgroupVersion } from "../../host/cgroup-support.ts";
import { readFile, readFileIfThere } from "../../host/file.ts";
import { readLockHolder, readPluginLockHolder } from "../../host/lock.ts";
import { readNodeCapacity } from "../../host/meminfo.ts";
import { readBinary } from "../binary/read.ts";
import { readEffectiveHookFolders } from "../crio/read-hook-folders.ts";
import type { Fact } from "../finding/rule.ts";
import { hooksInForce, isWaspHook, runOfWasp } from "../hook/files.ts";
import { readHookFiles } from "../hook/read.ts";
import { serviceOf } from "../kubelet/facts.ts";
import { readEffectiveKubelet } from "../kubelet/read-effective.ts";
import { readKubeletFlags } from "../kubelet/read-flags.ts";
import { readRuntime } from "../kubelet/read-runtime.ts";
import { parseSwaps, type SwapArea } from "../swap/areas.ts";
import { readSwapsAtBoot } from "../swap/read-at-boot.ts";
import { readRootStack, stackOfPath } from "../swap/read-block-stack.ts";
import { readSystemSliceInForce } from "../system-slice/read.ts";
import type { Host } from "../target/host.ts";
import { readHasNoswapMount } from "../target/mounts.ts";
import { findProcess, readProcessesByArgv } from "../target/processes.ts";
import { readUnitFiles } from "../target/unit-files.ts";
import type { CheckFacts, KnownFacts } from "./facts.ts";
import { readLooseContainers, readPods, readPressureFacts } from "./read-cgroups.ts";
import { readChangedFiles } from "./read-changed-files.ts";
import { readOomd } from "./read-oomd.ts";

const DEFAULT_BINARY = "/usr/local/bin/wasp";

/** Reads all facts about a host, and changes nothing. A fact that cannot be read is unknown, with the reason; never throws. */
export function readCheckFacts(host: Host): CheckFacts {
  const { fsroot, isRunning } = host;
  const processes = once(() => (isRunning ? readProcessesByArgv(fsroot) : []));
  const swaps = once(() => parseSwaps(readFile(`${fsroot}/proc/swaps`)));
  const kubeletFlags = once(() => readKubeletFlags(host));
  const kubeletProcess = () => kubeletFlags().process;
  const kubelet = once(() => readEffectiveKubelet(host, kubeletFlags()));
  const crio = () => findProcess(processes(), "crio");
  const crioHooks = once(() => readEffectiveHookFolders(host, crio()));
  const hookFolders = () => crioHooks().folders;
  const hookFiles = once(() => readHookFiles(fsroot, hookFolders()));
  const running = <T>(read: () => T): Fact<T> => (isRunning ? factOf(read) : "only-running");
  return {
    kernelRelease: running(() => readFile(`${fsroot}/proc/sys/kernel/osrelease`).trim()),
    kernelCommandLine: running(() => readFile(`${fsroot}/proc/cmdline`).trim()),
    cgroupVersion: running(() => readCgroupVersion(fsroot)),
    canLimitSwap: running(() => readCanLimitSwap(fsroot)),
    pressure: running(() => readPressureFacts(fsroot)),
    memory: running(() => readNodeCapacity(fsroot)),
    swappiness: running(() => numberIn(`${fsroot}/proc/sys/vm/swappiness`)),
    isZswapOn: running(
      () => readFileIfThere(`${fsroot}/sys/module/zswap/parameters/enabled`)?.trim() === "Y",
    ),
    swaps: running(swaps),
    swapStacks: running(() => stacksOf(fsroot, swaps())),
    rootStack: running(() => readRootStack(fsroot)),
    swapsAtBoot: factOf(() => readSwapsAtBoot(fsroot)),
    hasNoswapMount: running(() => readHasNoswapMount(fsroot)),
    kubelet: factOf(kubelet),
    kubeletPid: running(() => kubeletProcess()?.pid),
    runtime: factOf(() => readRuntime(fsroot, kubelet(), processes())),
    hookFolders: factOf(hookFolders),
    hookFiles: factOf(hookFiles),
    binary: factOf(() => readBinary(host, binaryOf(hookFolders(), hookFiles()))),
    systemSlice: running(() => readSystemSliceInForce(fsroot)),
    systemSliceFiles: factOf(() => readUnitFiles(fsroot, "system.slice")),
    isNriOn: running(() =>
      ["/run", "/var/run"].some((folder) => existsSync(`${fsroot}${folder}/nri/nri.sock`)),
    ),
    nriPluginPid: running(() => readPluginLockHolder(fsroot)),
    changedSinceStart: running(() => [
      ...readChangedFiles(fsroot, serviceOf(kubelet()?.startedBy), kubeletProcess(), kubelet()?.files ?? []),
      ...readChangedFiles(fsroot, "crio", crio(), crioHooks().files),
    ]),
    pods: running(() => readPods(fsroot)),
    looseContainers: running(() => readLooseContainers(fsroot)),
    agentPid: running(() => readLockHolder(fsroot)),
    oomd: running(() => (findProcess(processes(), "systemd-oomd") ? readOomd(fsroot) : undefined)),
    earlyoomPids: running(() =>
      processes()
        .filter(({ name }) => name === "earlyoom")
        .map(({ pid }) => pid),
    ),
  };
}

function factOf<T>(read: () => T): Exclude<Fact<T>, "only-running"> {
  try {
    return { known: read() };
  } catch (error) {
    return { unknown: (error as Error).message };
  }
}

// Reads once for all facts that need it, so that a failure has one reason too.
function once<T>(read: () => T): () => T {
  let fact: Exclude<Fact<T>, "only-running"> | undefined;
  return () => {
    fact ??= factOf(read);
    if ("unknown" in fact) throw new Error(fact.unknown);
    return fact.known;
  };
}

function numberIn(path: string): number {
  const text = readFile(path).trim();
  if (!/^\d+$/.test(text)) throw new Error(`${path}: ${JSON.stringify(text)} is not a number`);
  return Number(text);
}

function stacksOf(fsroot: string, swaps: readonly SwapArea[]): KnownFacts["swapStacks"] {
  return new Map(swaps.map(({ name, medium }) => [name, stackOfPath(fsroot, name, medium)]));
}

function binaryOf(folders: readonly string[], files: KnownFacts["hookFiles"]): string {
  const hook = hooksInForce(files, folders).find(isWaspHook);
  if (hook === undefined || !("path" in hook.definition)) return DEFAULT_BINARY;
  return runOfWasp(hook.definition)?.path ?? hook.definition.path;
}
