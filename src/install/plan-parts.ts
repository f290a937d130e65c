import { planBinary } from "./binary/plan.ts";
import { MEMORY_QOS_FILE } from "./containerd/nri-service.ts";
import { planContainerd } from "./containerd/plan.ts";
import { readContainerdFacts } from "./containerd/read.ts";
import { chooseHookFolder, planCrio } from "./crio/plan.ts";
import { readCrioFacts } from "./crio/read.ts";
import type { InstallOptions } from "./engine/options.ts";
import type { Part } from "./engine/part.ts";
import { compose, type PartPlan, type Plan } from "./engine/plan.ts";
import { planHook } from "./hook/plan.ts";
import { readHookFacts } from "./hook/read.ts";
import { planKubelet } from "./kubelet/plan.ts";
import { readKubeletFacts } from "./kubelet/read.ts";
import { requireKubeletAllowsSwap } from "./kubelet/swap-needs.ts";
import { diskOfPlan, planSwap } from "./swap/plan.ts";
import { readSwapFacts } from "./swap/read-swap.ts";
import { planSystemSlice } from "./system-slice/plan.ts";
import { readSystemSliceFacts } from "./system-slice/read.ts";
import type { Host } from "./target/host.ts";
import { isExecutable, isThere, isWritable } from "./target/read-host.ts";

/**
 * Plans a part on a host. Each part has a reader (`readSwapFacts(host, ...)`, which changes nothing and throws only where
 * an existing file cannot be read) and a pure planner (`planSwap(facts, options)`), which are combined here. `chosen` are
 * all parts of this run.
 */
type PartPlanner = (host: Host, options: InstallOptions, chosen: readonly Part[]) => PartPlan;

/** The planner of each part. */
const PLANNERS: Readonly<Partial<Record<Part, PartPlanner>>> = {
  binary: (_, options) => planBinary({ isCompiled: Bun.main.startsWith("/$bunfs/") }, options),
  hook: (host, options, chosen) => {
    const crio = readCrioFacts(host);
    const facts = readHookFacts(host, options.binaryPath, crio);
    const context = { withBinary: chosen.includes("binary"), withCrio: chosen.includes("cri-o") };
    return planHook(facts, hookFolderFor(host, crio), options, context);
  },
  "system-slice": (host, options, chosen) => {
    const disk = chosen.includes("swap") ? diskOfPlan(planSwapOf(host, options)) : undefined;
    return planSystemSlice(readSystemSliceFacts(host, disk === undefined ? [] : [disk]));
  },
  swap: (host, options, chosen) => {
    const facts = readSwapFacts(host, options.swap);
    const { active, others, script } = facts;
    return requireKubeletAllowsSwap(planSwap(facts, options.swap), readKubeletFacts(host), {
      withKubelet: chosen.includes("kubelet"),
      hasSwap: active !== undefined || others.length > 0 || script !== undefined,
      ignoreKubelet: options.ignoreKubelet,
    });
  },
  kubelet: (host, options) => planKubelet(readKubeletFacts(host), options),
  "cri-o": (host, options) => {
    const facts = readCrioFacts(host);
    return planCrio(facts, hookFolderFor(host, facts), options);
  },
  containerd: (host, options, chosen) => {
    const hasBinary = chosen.includes("binary") || isExecutable(host, options.binaryPath);
    const context = { hasBinary, hasMemoryQos: isThere(host, MEMORY_QOS_FILE) };
    return planContainerd(readContainerdFacts(host), context, options);
  },
};

/** Plans the chosen parts by the present state of the host; throws where a fact cannot be read. */
export function planParts(host: Host, options: InstallOptions, chosen: readonly Part[]): Plan {
  return compose(chosen.flatMap((part) => PLANNERS[part]?.(host, options, chosen) ?? []));
}

function planSwapOf(host: Host, { swap }: InstallOptions): PartPlan {
  return planSwap(readSwapFacts(host, swap), swap);
}

function hookFolderFor(host: Host, crio: ReturnType<typeof readCrioFacts>) {
  return chooseHookFolder(crio, (folder) => isWritable(host, folder));
}
