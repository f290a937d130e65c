import { formatRounded } from "../../../policy/kubernetes/quantity.ts";
import { podMemoryHeadroomOf } from "../../../policy/reach/kubelet-thresholds.ts";
import { checksOn, error, ok, unknown, warning } from "../../finding/rule.ts";
import { pathOf } from "../../hook/files.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** Requires a container runtime that can run wasp for a starting container. */
export const runtime = check({
  id: "runtime",
  needs: ["runtime", "isNriOn"],
  right: "CRI-O, which runs OCI hooks, or containerd, which has plugins (NRI)",
  judge: ({ runtime, isNriOn }) => {
    if (runtime === undefined)
      return unknown("neither CRI-O nor containerd is running, and no kubelet names one");
    const name = runtime === "cri-o" ? "CRI-O" : "containerd";
    return ok(`${name}; NRI is ${isNriOn ? "on" : "off"}`);
  },
});

/** Requires that the services have read the present settings in their files. */
export const restart = check({
  id: "restart",
  needs: ["changedSinceStart"],
  right:
    "the kubelet and CRI-O were started after the last change of their settings, which they read only at their start",
  judge: ({ changedSinceStart }) =>
    changedSinceStart.length === 0
      ? ok("no settings were changed since their start")
      : warning(
          changedSinceStart.map(({ service, path }) => `${path} is newer than ${service}'s start`).join("; "),
          `systemctl restart ${[...new Set(changedSinceStart.map(({ service }) => service))].join(" ")}`,
        ),
});

/** Requires that containers are in the cgroups of their pods. */
export const containerCgroups = check({
  id: "container-cgroups",
  needs: ["looseContainers"],
  right:
    "containers are in the cgroups of their pods: elsewhere neither the pod's limits nor those of all pods hold for them",
  judge: ({ looseContainers }) => {
    if (looseContainers.length === 0) return undefined;
    const places = looseContainers.map(({ cgroup, count }) => `${count} in ${cgroup}`);
    return warning(
      `containers of pods are outside of kubepods, because the cgroup drivers of kubelet and runtime differ: ${places.join(", ")}`,
      "SystemdCgroup = true for containerd's runc, where the kubelet's cgroupDriver is systemd; then systemctl restart containerd, and start the node's pods again",
    );
  },
});

/** Requires that the kernel swaps before the kubelet evicts. */
export const swapReach = check({
  id: "swap-reach",
  needs: ["kubelet", "pods", "swaps"],
  right:
    "memory.high of kubepods is below the use of memory at which the kubelet evicts: otherwise it evicts before the kernel swaps",
  judge: ({ kubelet, pods, swaps }) => {
    if (kubelet === undefined || pods === undefined || swaps.length === 0) return undefined;
    const { thresholds } = kubelet;
    if (thresholds === undefined)
      return unknown("the kubelet's threshold of memory.available cannot be parsed");
    if (thresholds.hard === undefined && thresholds.soft === undefined)
      return ok("the kubelet evicts no pod for memory");
    const room = podMemoryHeadroomOf(pods.node, pods.kubepods, thresholds);
    if (room === undefined) return unknown("/proc/meminfo has no figure for free memory");
    const { memoryHighBytes } = pods.kubepods;
    const evicts = `the kubelet evicts from ${formatRounded(room.evictedFromBytes)} on`;
    if (memoryHighBytes <= room.evictedFromBytes)
      return ok(`memory.high of kubepods is ${formatRounded(memoryHighBytes)}; ${evicts}`);
    const high = Number.isFinite(memoryHighBytes) ? formatRounded(memoryHighBytes) : "max";
    return warning(
      `memory.high of kubepods is ${high}; ${evicts}`,
      "evictionMode: Enforce for wasp agent, which then holds memory.high while swap is free",
    );
  },
});

/** Requires a running agent, which keeps limits exact. */
export const agent = check({
  id: "agent",
  needs: ["agentPid", "runtime", "nriPluginPid"],
  right: "wasp agent is running: it makes limits exact, and restores them after a resize",
  judge: ({ agentPid, runtime, nriPluginPid }) => {
    if (agentPid !== undefined) return ok(`it is running: pid ${agentPid}`);
    const remedy = "kubectl apply --kustomize manifests/base, or wasp agent as a service of the node";
    return runtime === "containerd" && nriPluginPid === undefined
      ? error("no agent runs, and under containerd nothing else sets limits", remedy)
      : warning("no agent runs", remedy);
  },
});

const WASP_AGENT_HOOK = "swap-for-burstable.json";

/** Requires that wasp-agent is removed: it removes every limit when a container starts. */
export const waspAgent = check({
  id: "wasp-agent",
  needs: ["hookFiles", "hookFolders"],
  right: `the hook of wasp-agent, ${WASP_AGENT_HOOK}, is removed: it gives each Burstable container unlimited swap`,
  judge: ({ hookFiles, hookFolders }) => {
    const left = hookFiles.filter(({ name }) => name === WASP_AGENT_HOOK);
    if (left.length === 0) return ok("no file of wasp-agent");
    const remedy = `delete its DaemonSet, then: rm ${left.map(pathOf).join(" ")}`;
    const isLoaded = left.some(({ folder }) => hookFolders.includes(folder));
    return { severity: isLoaded ? "error" : "warning", found: left.map(pathOf).join(", "), remedy };
  },
});

/** Requires that systemd-oomd does not kill pods for their use of swap. */
export const systemdOomd = check({
  id: "systemd-oomd",
  needs: ["oomd"],
  right: "systemd-oomd does not kill pods because swap is nearly used up",
  judge: ({ oomd }) => {
    if (oomd === undefined) return ok("systemd-oomd is not running");
    if (oomd.killsForSwap.length === 0)
      return ok("systemd-oomd is running, and no slice of pods has ManagedOOMSwap=kill");
    return warning(
      oomd.killsForSwap.map(({ unit, path }) => `ManagedOOMSwap=kill for ${unit} in ${path}`).join("; "),
      // Merely disabled, it would be started with the slice.
      "ManagedOOMSwap=auto in a drop-in of that slice, or systemctl mask --now systemd-oomd",
    );
  },
});

/** Requires that earlyoom does not kill pods for their use of swap. */
export const earlyoom = check({
  id: "earlyoom",
  needs: ["earlyoomPids"],
  right: "earlyoom is not running: it kills a process of its own choice when memory and swap are low",
  judge: ({ earlyoomPids }) =>
    earlyoomPids.length === 0
      ? ok("earlyoom is not running")
      : warning(`earlyoom runs: pid ${earlyoomPids.join(", ")}`, "systemctl disable --now earlyoom"),
});
