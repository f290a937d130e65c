import type { KubepodsSample, NodeSample } from "../../policy/eviction/snapshot.ts";
import type { BinaryCheckFacts } from "../binary/rules.ts";
import type { NriCheckFacts } from "../containerd/rules.ts";
import type { FactsOf } from "../finding/rule.ts";
import type { HookCheckFacts } from "../hook/rules.ts";
import type { KubeletCheckFacts } from "../kubelet/rules.ts";
import type { SwapCheckFacts } from "../swap/rules.ts";
import type { SystemSliceCheckFacts } from "../system-slice/rules.ts";

/** Facts about the node's kernel. */
interface KernelFacts {
  /** The release that uname(2) returns, such as 6.12.48-amd64. */
  readonly kernelRelease: string;
  readonly kernelCommandLine: string;
  readonly cgroupVersion: 1 | 2;
  /** True if a cgroup below the root has a swap limit. */
  readonly canLimitSwap: boolean;
  /** True where the kernel has pressure stall figures; `cgroups` is undefined where no cgroup shows it. */
  readonly pressure: { readonly node: boolean; readonly cgroups: boolean | undefined };
  readonly swappiness: number;
  readonly isZswapOn: boolean;
  /** True if a tmpfs is mounted with noswap. */
  readonly hasNoswapMount: boolean;
}

/** Facts about what runs on the node besides the parts of the installation. */
interface ServiceFacts {
  /** Settings files that were changed after the start of the service that reads them. */
  readonly changedSinceStart: readonly ChangedFile[];
  /** Undefined where no cgroup of pods exists. */
  readonly pods: { readonly node: NodeSample; readonly kubepods: KubepodsSample } | undefined;
  /** The cgroups outside of kubepods that have containers of pods. */
  readonly looseContainers: readonly LooseContainers[];
  /** The pid of the running agent. */
  readonly agentPid: number | undefined;
  /** Undefined where systemd-oomd is not running. */
  readonly oomd: OomdFacts | undefined;
  /** The pids of earlyoom. */
  readonly earlyoomPids: readonly number[];
}

/** A cgroup outside of kubepods, with the number of containers of pods directly below it. */
export interface LooseContainers {
  readonly cgroup: string;
  readonly count: number;
}

/** A settings file, and the service that has to be restarted to read it. */
export interface ChangedFile {
  readonly service: string;
  readonly path: string;
}

/** Settings of a running systemd-oomd. */
export interface OomdFacts {
  /** The slices above the pods in which it kills when swap is nearly used up, each with the file that sets it. */
  readonly killsForSwap: readonly { readonly unit: string; readonly path: string }[];
}

/** All facts by which the rules decide; undefined where the host is known not to have a thing. */
export interface KnownFacts
  extends KernelFacts,
    ServiceFacts,
    BinaryCheckFacts,
    HookCheckFacts,
    KubeletCheckFacts,
    NriCheckFacts,
    SwapCheckFacts,
    SystemSliceCheckFacts {}

/** The name of a fact. */
export type FactName = keyof KnownFacts;

/** All facts about a host, each with its value or with the reason for which it has none. */
export type CheckFacts = FactsOf<KnownFacts>;
