import { planBinary } from "./binary/plan.ts";
import { MEMORY_QOS_FILE } from "./containerd/nri-service.ts";
import { planContainerd } from "./containerd/plan.ts";
import { readContainerdFacts } from "./containerd/read.ts";
import { placeHook, planCrio } from "./crio/plan.ts";
import { readCrioFacts } from "./crio/read.ts";
import type { InstallOptions } from "./engine/options.ts";
import type { Part } from "./engine/part.ts";
import { compose, type PartPlan, type Plan } from "./engine/plan.ts";
import { planHook } from "./hook/plan.ts";
import { readHookFacts } from "./hook/read.ts";
import { planKubelet } from "./kubelet/plan.ts";
import { readKubeletFacts } from "./kubelet/read.ts";
import { heedKubelet } from "./kubelet/swap-needs.ts";
import { diskOfPlan, planSwap } from "./swap/plan.ts";
import { readSwapFacts } from "./swap/read-swap.ts";
import { planSystemSlice } from "./system-slice/plan.ts";
import { readSystemSliceFacts } from "./system-slice/read.ts";
import type { Host } from "./target/host.ts";
import { isExecutable, isThere, isWritable } from "./target/read-host.ts";

/**
 * What makes a part's plan of what is on a host and what was chosen. A part has a reader of facts in this room
 * (`readSwapFacts(host, ...)`, which changes nothing and throws only where a file that is there cannot be read), and a
 * pure planner in policy/install (`planSwap(facts, options)`); here they are put together. `chosen` are all parts of
 * this run.
 */
type PartPlanner = (host: Host, options: InstallOptions, chosen: readonly Part[]) => PartPlan;

/** The planner of each part. */
const PLANNERS: Readonly<Partial<Record<Part, PartPlanner>>> = {
  binary: (_, options) => planBinary({ isCompiled: Bun.main.startsWith("/$bunfs/") }, options),
  hook: (host, options, chosen) => {
    const crio = readCrioFacts(host);
    const facts = readHookFacts(host, options.binaryPath, crio);
    const company = { withBinary: chosen.includes("binary"), withCrio: chosen.includes("cri-o") };
    return planHook(facts, hookPlace(host, crio), options, company);
  },
  "system-slice": (host, options, chosen) => {
    const disk = chosen.includes("swap") ? diskOfPlan(planSwapOf(host, options)) : undefined;
    return planSystemSlice(readSystemSliceFacts(host, disk === undefined ? [] : [disk]));
  },
  swap: (host, options, chosen) => {
    const facts = readSwapFacts(host, options.swap);
    const { active, others, script } = facts;
    return heedKubelet(planSwap(facts, options.swap), readKubeletFacts(host), {
      withKubelet: chosen.includes("kubelet"),
      hasSwap: active !== undefined || others.length > 0 || script !== undefined,
      ignoreKubelet: options.ignoreKubelet,
    });
  },
  kubelet: (host, options) => planKubelet(readKubeletFacts(host), options),
  "cri-o": (host, options) => {
    const facts = readCrioFacts(host);
    return planCrio(facts, hookPlace(host, facts), options);
  },
  containerd: (host, options, chosen) => {
    const hasBinary = chosen.includes("binary") || isExecutable(host, options.binaryPath);
    const company = { hasBinary, hasMemoryQos: isThere(host, MEMORY_QOS_FILE) };
    return planContainerd(readContainerdFacts(host), company, options);
  },
};

/** Plans the chosen parts on what is there now; throws where a fact cannot be read. */
export function planParts(host: Host, options: InstallOptions, chosen: readonly Part[]): Plan {
  return compose(chosen.flatMap((part) => PLANNERS[part]?.(host, options, chosen) ?? []));
}

function planSwapOf(host: Host, { swap }: InstallOptions): PartPlan {
  return planSwap(readSwapFacts(host, swap), swap);
}

function hookPlace(host: Host, crio: ReturnType<typeof readCrioFacts>) {
  return placeHook(crio, (folder) => isWritable(host, folder));
}
