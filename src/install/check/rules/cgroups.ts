import { checksOn } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** Requires cgroup v2. */
export const cgroupVersion = check({
  id: "cgroup-version",
  needs: ["cgroupVersion"],
  right:
    "cgroup v2: on v1, containers get their limits, but wasp has no pressure figures by cgroup, protects nothing and evicts nothing",
  judge: ({ cgroupVersion }) =>
    cgroupVersion === 2
      ? { severity: "ok", found: "cgroup v2" }
      : {
          severity: "warning",
          found: "cgroup v1",
          remedy:
            "systemd.unified_cgroup_hierarchy=1 on the kernel's command line, and a restart of the node",
        },
});

/** Requires that swap can be limited by cgroup. */
export const swapController = check({
  id: "swap-controller",
  needs: ["canLimitSwap"],
  right: "cgroups have a swap limit",
  judge: ({ canLimitSwap }) =>
    canLimitSwap
      ? { severity: "ok", found: "cgroups have a swap limit" }
      : {
          severity: "error",
          found: "no cgroup has a swap limit, so no container can get one",
          remedy:
            "swapaccount=1, and no cgroup_disable=memory, on the kernel's command line, and a restart of the node",
        },
});
