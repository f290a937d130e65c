import { check, type Verdict } from "../rule.ts";

/** The container runtime is one that can run wasp for a starting container. */
export const runtime = check({
  id: "runtime",
  needs: ["runtime", "isNriOn"],
  right: "CRI-O, which runs hooks, or containerd, where limits are the agent's to give",
  judge: ({ runtime, isNriOn }): Verdict => {
    if (runtime === "cri-o") return { severity: "ok", found: "CRI-O" };
    if (runtime === undefined)
      return { severity: "unknown", found: "neither CRI-O nor containerd runs, and no kubelet names one" };
    const nri = `NRI is ${isNriOn ? "on" : "off"}`;
    return {
      severity: "note",
      found: `containerd, which has no hooks: the agent gives limits shortly after start; ${nri}`,
    };
  },
});
