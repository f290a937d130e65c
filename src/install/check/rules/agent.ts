import { checksOn, type Verdict } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** The agent runs, which keeps limits exact. */
export const agent = check({
  id: "agent",
  needs: ["agentPid", "runtime", "nriPluginPid"],
  right: "wasp agent runs: it makes limits exact, and restores what a resize undoes",
  judge: ({ agentPid, runtime, nriPluginPid }): Verdict => {
    if (agentPid !== undefined) return { severity: "ok", found: `it runs: pid ${agentPid}` };
    const remedy = "kubectl apply --kustomize manifests/base, or wasp agent as a service of the node";
    return runtime === "containerd" && nriPluginPid === undefined
      ? { severity: "error", found: "no agent runs, and with containerd nobody else gives limits", remedy }
      : { severity: "warning", found: "no agent runs", remedy };
  },
});
