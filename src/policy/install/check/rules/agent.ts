import { check } from "../rule.ts";

/** The agent runs, which keeps limits exact. */
export const agent = check({
  id: "agent",
  needs: ["agentPid"],
  right: "wasp agent runs: it makes limits exact, and restores what a resize undoes",
  judge: ({ agentPid }) =>
    agentPid === undefined
      ? {
          severity: "warning",
          found: "no agent runs",
          remedy: "kubectl apply --kustomize manifests/base, or wasp agent as a service of the node",
        }
      : { severity: "ok", found: `it runs: pid ${agentPid}` },
});
