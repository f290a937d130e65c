import { checksOn, ok, warning } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** Requires pressure stall figures, by which the agent recognizes that swapping does harm. */
export const pressure = check({
  id: "pressure",
  needs: ["pressure", "kernelCommandLine"],
  right:
    "the kernel has pressure stall figures (PSI) of the node and of each cgroup: they show the agent that swapping does harm",
  judge: ({ pressure, kernelCommandLine }) => {
    if (!pressure.node) {
      const cause = /(^|\s)psi=(0|n|off)/.test(kernelCommandLine)
        ? ": the kernel's command line has psi=0"
        : "";
      return warning(
        `no pressure figures${cause}`,
        "psi=1 on the kernel's command line, and a restart of the node",
      );
    }
    if (pressure.cgroups === false)
      return warning(
        "pressure figures of the node, but none of its cgroups",
        "no cgroup_disable=pressure on the kernel's command line, cgroup v2, and a restart of the node",
      );
    return ok("pressure figures are available");
  },
});
