import { checksOn, type Verdict } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** The kernel tells of stalled work, by which the agent senses that swapping hurts. */
export const pressure = check({
  id: "pressure",
  needs: ["pressure", "kernelCommandLine"],
  right:
    "the kernel tells of stalled work (PSI), of the node and of each cgroup: by that the agent senses that swapping hurts",
  judge: ({ pressure, kernelCommandLine }): Verdict => {
    if (!pressure.node) {
      const why = /(^|\s)psi=(0|n|off)/.test(kernelCommandLine)
        ? ": the kernel's command line has psi=0"
        : "";
      return {
        severity: "warning",
        found: `no pressure figures${why}`,
        remedy: "psi=1 on the kernel's command line, and a restart of the node",
      };
    }
    if (pressure.cgroups === false)
      return {
        severity: "warning",
        found: "pressure figures of the node, none of its cgroups",
        remedy:
          "no cgroup_disable=pressure on the kernel's command line, cgroup v2, and a restart of the node",
      };
    return { severity: "ok", found: "pressure figures are there" };
  },
});
