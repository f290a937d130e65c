import { checksOn, ok, unknown } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** Requires a container runtime that can run wasp for a starting container. */
export const runtime = check({
  id: "runtime",
  needs: ["runtime", "isNriOn"],
  right: "CRI-O, which runs OCI hooks, or containerd, which has plugins (NRI)",
  judge: ({ runtime, isNriOn }) => {
    if (runtime === undefined)
      return unknown("neither CRI-O nor containerd is running, and no kubelet names one");
    const name = runtime === "cri-o" ? "CRI-O" : "containerd";
    return ok(`${name}; NRI is ${isNriOn ? "on" : "off"}`);
  },
});
