import { install } from "../finding/remedy.ts";
import { checksOn, type Verdict } from "../finding/rule.ts";
import type { KubeletCheckFacts } from "../kubelet/check-facts.ts";
import type { NriCheckFacts } from "./check-facts.ts";

const check = checksOn<KubeletCheckFacts & NriCheckFacts>();

const LATE = "a container has its limit only once the agent has seen it";

/** Under a runtime without hooks, wasp is its plugin, which gives a container its limit before it starts. */
export const nri = check({
  id: "nri",
  needs: ["runtime", "isNriOn", "nriPluginPid"],
  right: "wasp is containerd's plugin (NRI): a container has its limit before it starts",
  judge: ({ runtime, isNriOn, nriPluginPid }): Verdict | undefined => {
    if (nriPluginPid !== undefined)
      return { severity: "ok", found: `wasp is the runtime's plugin: pid ${nriPluginPid}` };
    if (runtime !== "containerd") return undefined;
    return isNriOn
      ? {
          severity: "warning",
          found: `wasp is no plugin of containerd's: ${LATE}`,
          remedy: install("containerd"),
        }
      : { severity: "warning", found: `NRI is off: ${LATE}`, remedy: install("containerd", "--restart") };
  },
});
