import { checksOn, error, ok, warning } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

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
