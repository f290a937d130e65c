import type { KnownFacts } from "../../../src/install/check/facts.ts";
import { FILE, hooks, MEMORY, ON_ROOT, RUN, type RuleCase, swapsOn, ZRAM } from "./rule-case.ts";
import { HOOK, SOUND_KUBELET as kubelet, SOUND_PODS as pods } from "./sound-facts.ts";

function highAt(memoryHighBytes: number): Partial<KnownFacts> {
  return { pods: { ...pods, kubepods: { ...pods.kubepods, memoryHighBytes } } };
}

/** Cases of the rules on the node and its services. */
export const NODE_CASES: readonly RuleCase[] = [
  ["kernel", "the oldest that is new enough", { kernelRelease: "5.9.0" }, "ok", "Linux 5.9.0"],
  ["kernel", "older", { kernelRelease: "5.8.18-301.fc33" }, "warning", "Linux 5.8.18"],
  ["kernel", "much older", { kernelRelease: "4.18.0-553.el8" }, "warning", "Linux 4.18"],
  ["cgroup-version", "v1", { cgroupVersion: 1 }, "warning", "cgroup v1"],
  [
    "swap-controller",
    "swap is not accounted for",
    { canLimitSwap: false },
    "error",
    "no cgroup has a swap limit",
  ],
  ["pressure", "off", { pressure: { node: false, cgroups: undefined } }, "warning", "no pressure figures"],
  [
    "pressure",
    "turned off",
    { pressure: { node: false, cgroups: undefined }, kernelCommandLine: "ro psi=0 quiet" },
    "warning",
    "command line has psi=0",
  ],
  [
    "pressure",
    "not of cgroups",
    { pressure: { node: true, cgroups: false } },
    "warning",
    "none of its cgroups",
  ],
  ["pressure", "no cgroup to see", { pressure: { node: true, cgroups: undefined } }, "ok", "are available"],
  ["zswap", "on, before a disk", { isZswapOn: true }, "note", "still in memory, compressed"],
  [
    "zswap",
    "on, before zram",
    { isZswapOn: true, ...swapsOn([ZRAM, MEMORY]) },
    "warning",
    "compressed twice",
  ],
  ["swappiness", "0", { swappiness: 0 }, "warning", "vm.swappiness is 0"],
  ["swappiness", "1", { swappiness: 1 }, "ok", "vm.swappiness is 1"],
  ["tmpfs-noswap", "a new kernel", { hasNoswapMount: false }, "ok", "6.12"],
  [
    "tmpfs-noswap",
    "brought to an old kernel",
    { kernelRelease: "5.14.0-570.el9" },
    "ok",
    "mounted with noswap",
  ],
  [
    "tmpfs-noswap",
    "an old kernel",
    { kernelRelease: "6.3.9", hasNoswapMount: false, ...swapsOn([FILE, ON_ROOT]) },
    "warning",
    "secrets may be swapped out",
  ],
  [
    "tmpfs-noswap",
    "an old kernel, but swap is encrypted",
    { kernelRelease: "5.14.0", hasNoswapMount: false },
    "note",
    "secrets may be swapped out",
  ],
  ["runtime", "containerd", { runtime: "containerd" }, "ok", "containerd; NRI is off"],
  ["runtime", "none", { runtime: undefined }, "unknown", "neither"],
  [
    "restart",
    "after a change",
    {
      changedSinceStart: [
        { service: "crio", path: "/etc/crio/crio.conf.d/50-wasp.conf" },
        { service: "kubelet", path: "/etc/kubernetes/kubelet.conf" },
      ],
    },
    "warning",
    "50-wasp.conf is newer than crio's start",
  ],
  ["container-cgroups", "of pods", {}, "none", ""],
  [
    "container-cgroups",
    "of a runtime with another driver",
    {
      looseContainers: [
        { cgroup: "/system.slice/containerd.service", count: 12 },
        { cgroup: "/", count: 1 },
      ],
    },
    "warning",
    "differ: 12 in /system.slice/containerd.service, 1 in /",
  ],
  ["swap-reach", "held", {}, "ok", "memory.high of kubepods is 2.6 GiB; the kubelet evicts from 2.7 GiB on"],
  [
    "swap-reach",
    "not held",
    highAt(Number.POSITIVE_INFINITY),
    "warning",
    "memory.high of kubepods is max; the kubelet evicts from 2.7 GiB on",
  ],
  ["swap-reach", "held too high", highAt(2890 * 2 ** 20), "warning", "is 2.8 GiB"],
  [
    "swap-reach",
    "no threshold",
    {
      ...highAt(Number.POSITIVE_INFINITY),
      kubelet: { ...kubelet, thresholds: { hard: undefined, soft: undefined, enforcesPods: true } },
    },
    "ok",
    "evicts no pod for memory",
  ],
  [
    "swap-reach",
    "a threshold that cannot be read",
    { kubelet: { ...kubelet, thresholds: undefined } },
    "unknown",
    "cannot be parsed",
  ],
  ["swap-reach", "no pods", { pods: undefined }, "none", ""],
  ["swap-reach", "no swap", { swaps: [] }, "none", ""],
  ["agent", "none", { agentPid: undefined }, "warning", "no agent runs"],
  [
    "agent",
    "none, and nothing else gives limits",
    { agentPid: undefined, runtime: "containerd" },
    "error",
    "no agent runs",
  ],
  [
    "agent",
    "none, and a plugin gives limits",
    { agentPid: undefined, runtime: "containerd", nriPluginPid: 7 },
    "warning",
    "no agent runs",
  ],
  [
    "wasp-agent",
    "its hook, loaded",
    { hookFolders: [HOOK.folder, RUN], ...hooks({}, { folder: RUN, name: "swap-for-burstable.json" }) },
    "error",
    `${RUN}/swap-for-burstable.json`,
  ],
  [
    "wasp-agent",
    "its hook, left over",
    hooks({}, { folder: RUN, name: "swap-for-burstable.json" }),
    "warning",
    RUN,
  ],
  [
    "systemd-oomd",
    "kills no pods",
    { oomd: { killsForSwap: [] } },
    "ok",
    "no slice of pods has ManagedOOMSwap=kill",
  ],
  [
    "systemd-oomd",
    "kills for swap",
    { oomd: { killsForSwap: [{ unit: "-.slice", path: "/usr/lib/systemd/system/-.slice.d/10-oomd.conf" }] } },
    "warning",
    "ManagedOOMSwap=kill for -.slice",
  ],
  ["earlyoom", "runs", { earlyoomPids: [77] }, "warning", "pid 77"],
];
