import { check, type Verdict } from "../rule.ts";
import { install } from "./remedy.ts";

/** The container runtime is one that can run wasp for a starting container. */
export const runtime = check({
  id: "runtime",
  needs: ["runtime", "isNriOn"],
  right: "CRI-O, which runs hooks, or containerd with NRI on",
  judge: ({ runtime, isNriOn }): Verdict => {
    if (runtime === "cri-o") return { severity: "ok", found: "CRI-O" };
    if (runtime === undefined)
      return { severity: "unknown", found: "neither CRI-O nor containerd runs, and no kubelet names one" };
    const found = "containerd, which has no hooks: a container has its limit when the agent has seen it";
    return isNriOn
      ? { severity: "note", found: `${found}, or from wasp nri` }
      : { severity: "warning", found: `${found}; NRI is off`, remedy: install("containerd") };
  },
});
