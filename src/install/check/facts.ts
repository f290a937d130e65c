import type { KubepodsSample, NodeSample } from "../../policy/eviction/snapshot.ts";
import type { NodeCapacity } from "../../policy/limits/container.ts";
import type { BinaryFacts } from "../binary/facts.ts";
import type { Fact } from "../finding/fact.ts";
import type { HookFile } from "../hook/files.ts";
import type { KubeletSettings } from "../kubelet/settings.ts";
import type { BlockStack, SwapArea } from "../swap/areas.ts";
import type { UnitFile } from "../target/unit-settings.ts";
import type { OomdFacts } from "./oomd-facts.ts";

/** What the rules decide by; undefined where a thing is not there, which is known. */
export interface KnownFacts {
  /** As uname(2) gives it, such as 6.12.48-amd64. */
  readonly kernelRelease: string;
  /** What the kernel was started with. */
  readonly kernelCommandLine: string;
  readonly cgroupVersion: 1 | 2;
  /** Whether a cgroup below the root has a limit of swap. */
  readonly canLimitSwap: boolean;
  /** Whether the kernel tells of stalled work; `cgroups` is undefined where there is no cgroup to see it by. */
  readonly pressure: { readonly node: boolean; readonly cgroups: boolean | undefined };
  readonly memory: NodeCapacity;
  readonly swappiness: number;
  readonly isZswapOn: boolean;
  readonly swaps: readonly SwapArea[];
  /** What is below each swap area, by its name. */
  readonly swapStacks: ReadonlyMap<string, BlockStack>;
  /** What the root file system is on. */
  readonly rootStack: BlockStack;
  /**
   * What is turned on when the node starts: swap areas, by the paths that /proc/swaps gives them, and whether there is a
   * service that makes swap in memory.
   */
  readonly swapsAtBoot: { readonly paths: readonly string[]; readonly hasZramService: boolean };
  /** Whether a file system in memory is mounted such that it is never swapped out. */
  readonly hasNoswapMount: boolean;
  readonly kubelet: KubeletSettings | undefined;
  /** The pid of the kubelet that runs. */
  readonly kubeletPid: number | undefined;
  readonly runtime: "cri-o" | "containerd" | undefined;
  /** The folders in which CRI-O looks for hooks, in rising precedence. */
  readonly hookFolders: readonly string[];
  /** All hooks that are in those folders and where hooks usually are. */
  readonly hookFiles: readonly HookFile[];
  readonly binary: BinaryFacts;
  /** What its cgroup has; undefined where there is none. */
  readonly systemSlice: { readonly swapMax: string; readonly ioLatency: string | undefined } | undefined;
  /** The files that set system.slice up, in the order in which systemd takes them. */
  readonly systemSliceFiles: readonly UnitFile[];
  /** Whether the runtime offers NRI. */
  readonly isNriOn: boolean;
  /** The pid of the wasp that is the runtime's plugin. */
  readonly nriPluginPid: number | undefined;
  /** The files of settings that were changed after the service was started that read them at its start. */
  readonly changedSinceStart: readonly ChangedFile[];
  /** Undefined where no pod's cgroup is. */
  readonly pods: { readonly node: NodeSample; readonly kubepods: KubepodsSample } | undefined;
  /** The pid of the agent that runs. */
  readonly agentPid: number | undefined;
  readonly oomd: OomdFacts | undefined;
  /** The pids of earlyoom. */
  readonly earlyoomPids: readonly number[];
}

/** A file of settings, and the service that has to be restarted to heed it. */
export interface ChangedFile {
  readonly service: string;
  readonly path: string;
}

/** The name of a fact. */
export type FactName = keyof KnownFacts;

/** What is known of a host, and of what is not known the reason. */
export type CheckFacts = { readonly [Name in FactName]: Fact<KnownFacts[Name]> };
