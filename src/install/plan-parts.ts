import { planBinary } from "./binary/plan.ts";
import { MEMORY_QOS_FILE } from "./containerd/nri-service.ts";
import { planContainerd } from "./containerd/plan.ts";
import { readContainerdFacts } from "./containerd/read.ts";
import { chooseHookFolder, planCrio } from "./crio/plan.ts";
import { readCrioFacts } from "./crio/read.ts";
import type { InstallOptions } from "./engine/options.ts";
import type { Part } from "./engine/part.ts";
import { compose, type PartPlan, type Plan } from "./engine/plan.ts";
import { HOOK_FILE, planHook } from "./hook/plan.ts";
import { readHookFacts } from "./hook/read.ts";
import { planUnneededHook, planWithoutHook } from "./hook/without.ts";
import { planKubelet } from "./kubelet/plan.ts";
import { readKubeletFacts, readKubeletLimitsSwap } from "./kubelet/read.ts";
import { requireKubeletAllowsSwap } from "./kubelet/swap-needs.ts";
import { diskOfPlan, planSwap } from "./swap/plan.ts";
import { readSwapFacts } from "./swap/read-swap.ts";
import { planSystemSlice } from "./system-slice/plan.ts";
import { readSystemSliceFacts } from "./system-slice/read.ts";
import type { Host } from "./target/host.ts";
import { isExecutable, isThere, isWritable } from "./target/read-host.ts";

/**
 * Plans one part from the state of a host and the options. The folder of a part has a reader of facts, which changes
 * nothing and throws only if an existing file cannot be read, and a pure planner of these facts; this module connects
 * them. `selected` are all parts of this run.
 */
type PartPlanner = (host: Host, options: InstallOptions, selected: readonly Part[]) => PartPlan;

/** Planner of each part. */
const PLANNERS: Readonly<Partial<Record<Part, PartPlanner>>> = {
  binary: (_, options) => planBinary(Bun.main.startsWith("/$bunfs/"), options),
  hook: (host, options, selected) => {
    const crio = readCrioFacts(host);
    const folder = hookFolderFor(host, crio);
    const isNeeded = !readKubeletLimitsSwap(host);
    if (!isNeeded && !isThere(host, `${folder.folder}/${HOOK_FILE}`)) return planWithoutHook();
    const facts = readHookFacts(host, options.binaryPath, crio);
    const context = { withBinary: selected.includes("binary"), withCrio: selected.includes("cri-o") };
    const plan = planHook(facts, folder, options, context);
    return isNeeded ? plan : planUnneededHook(plan);
  },
  "system-slice": (host, options, selected) => {
    const disk = selected.includes("swap") ? diskOfPlan(planSwapOf(host, options)) : undefined;
    return planSystemSlice(readSystemSliceFacts(host, disk === undefined ? [] : [disk]));
  },
  swap: (host, options, selected) => {
    const facts = readSwapFacts(host, options.swap);
    const { active, others, script } = facts;
    return requireKubeletAllowsSwap(planSwap(facts, options.swap), readKubeletFacts(host), {
      withKubelet: selected.includes("kubelet"),
      hasSwap: active !== undefined || others.length > 0 || script !== undefined,
      ignoreKubelet: options.ignoreKubelet,
    });
  },
  kubelet: (host, options) => planKubelet(readKubeletFacts(host), options),
  "cri-o": (host, options) => {
    const facts = readCrioFacts(host);
    return planCrio(facts, hookFolderFor(host, facts), options);
  },
  containerd: (host, options, selected) => {
    const hasBinary = selected.includes("binary") || isExecutable(host, options.binaryPath);
    const context = {
      hasBinary,
      hasMemoryQos: isThere(host, MEMORY_QOS_FILE),
      kubeletLimitsSwap: readKubeletLimitsSwap(host),
    };
    return planContainerd(readContainerdFacts(host), context, options);
  },
};

/** Plans the selected parts for the present state of a host; throws if a fact cannot be read. */
export function planParts(host: Host, options: InstallOptions, selected: readonly Part[]): Plan {
  return compose(selected.flatMap((part) => PLANNERS[part]?.(host, options, selected) ?? []));
}

function planSwapOf(host: Host, { swap }: InstallOptions): PartPlan {
  return planSwap(readSwapFacts(host, swap), swap);
}

function hookFolderFor(host: Host, crio: ReturnType<typeof readCrioFacts>) {
  return chooseHookFolder(crio, (folder) => isWritable(host, folder));
}
