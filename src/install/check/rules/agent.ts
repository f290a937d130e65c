import { checksOn, type Verdict } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** Requires a running agent, which keeps limits exact. */
export const agent = check({
  id: "agent",
  needs: ["agentPid", "runtime", "nriPluginPid"],
  right: "wasp agent is running: it makes limits exact, and restores them after a resize",
  judge: ({ agentPid, runtime, nriPluginPid }): Verdict => {
    if (agentPid !== undefined) return { severity: "ok", found: `it is running: pid ${agentPid}` };
    const remedy = "kubectl apply --kustomize manifests/base, or wasp agent as a service of the node";
    return runtime === "containerd" && nriPluginPid === undefined
      ? { severity: "error", found: "no agent runs, and under containerd nothing else sets limits", remedy }
      : { severity: "warning", found: "no agent runs", remedy };
  },
});
