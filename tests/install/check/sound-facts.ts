import type { CheckFacts, FactName, KnownFacts } from "../../../src/install/check/facts.ts";
import type { HookFile } from "../../../src/install/hook/files.ts";
import type { OwnedPath } from "../../../src/install/target/owned-path.ts";
import { GI, MI, sampleOf, snapshotAt } from "../../policy/eviction/snapshots.ts";

function ofRoot(...paths: readonly string[]): OwnedPath[] {
  return paths.map((path) => ({ path, uid: 0, gid: 0, mode: 0o755 }));
}

export const HOOK: HookFile = {
  folder: "/usr/share/containers/oci/hooks.d",
  name: "wasp-swap.json",
  definition: {
    path: "/bin/sh",
    args: ["sh", "-c", "guard", "wasp-guard", "/usr/local/bin/wasp", "hook"],
    stages: ["createRuntime"],
    canRun: true,
  },
  hasExecutable: true,
  hasWasp: true,
  owned: ofRoot("/", "/usr", "/usr/share"),
};

export const DROP_IN = {
  path: "/etc/systemd/system/system.slice.d/50-wasp.conf",
  text: "[Slice]\nMemorySwapMax=0\nIODeviceLatencyTargetSec=/dev/mapper/swap 50ms\n",
};

const { node } = snapshotAt(0, {});

/** All facts about a node on which the rules find nothing wrong. */
export const SOUND: KnownFacts = {
  kernelRelease: "6.12.48+deb13-cloud-amd64",
  kernelCommandLine: "BOOT_IMAGE=/vmlinuz root=UUID=1 ro psi=1",
  cgroupVersion: 2,
  canLimitSwap: true,
  pressure: { node: true, cgroups: true },
  memory: { memoryTotalBytes: 16 * GI, swapTotalBytes: 8 * GI },
  swappiness: 60,
  isZswapOn: false,
  swaps: [{ name: "/dev/dm-0", medium: "device", sizeBytes: 8 * GI, usedBytes: 0, priority: -2 }],
  swapStacks: new Map([["/dev/dm-0", { disks: ["vdb"], numbers: ["253:0", "254:16"], isEncrypted: true }]]),
  rootStack: { disks: ["vda"], numbers: ["254:1", "254:0"], isEncrypted: false },
  swapsAtBoot: { paths: ["/dev/dm-0"], hasZramService: false },
  hasNoswapMount: true,
  kubelet: {
    files: ["/var/lib/kubelet/config.yaml"],
    startedBy: undefined,
    readsDropIns: true,
    failSwapOn: false,
    isFailSwapOnFlag: false,
    swapBehavior: "",
    thresholds: { hard: { bytes: 100 * MI }, soft: undefined, enforcesPods: true },
    runtimeEndpoint: "unix:///var/run/crio/crio.sock",
  },
  kubeletPid: 800,
  runtime: "cri-o",
  hookFolders: [HOOK.folder],
  hookFiles: [HOOK],
  binary: {
    path: "/usr/local/bin/wasp",
    owned: ofRoot("/", "/usr", "/usr/local", "/usr/local/bin", "/usr/local/bin/wasp"),
    run: { version: "wasp 0.1.0 (0123456)" },
  },
  systemSlice: { swapMax: "0", ioLatency: "254:16 target=50000\n" },
  systemSliceFiles: [DROP_IN],
  isNriOn: false,
  nriPluginPid: undefined,
  changedSinceStart: [],
  pods: {
    node: { ...node, memoryTotalBytes: 3922 * MI, memoryFreeBytes: 3022 * MI },
    kubepods: {
      ...sampleOf("kubepods"),
      memoryBytes: 500 * MI,
      memoryMaxBytes: 2898 * MI,
      memoryHighBytes: 2711 * MI,
      memoryPressure: undefined,
    },
  },
  looseContainers: [],
  agentPid: 900,
  oomd: undefined,
  earlyoomPids: [],
};

/** The kubelet of that node. */
export const SOUND_KUBELET = SOUND.kubelet as NonNullable<KnownFacts["kubelet"]>;
/** The memory of that node and of its pods. */
export const SOUND_PODS = SOUND.pods as NonNullable<KnownFacts["pods"]>;

export const FACT_NAMES = Object.keys(SOUND) as FactName[];

/** Returns the facts of a sound node with these replaced. */
export function factsWith(differences: Partial<KnownFacts>): CheckFacts {
  const all = Object.entries({ ...SOUND, ...differences });
  return Object.fromEntries(all.map(([name, known]) => [name, { known }])) as unknown as CheckFacts;
}
