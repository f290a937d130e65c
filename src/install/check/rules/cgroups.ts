import { checksOn } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** The node has cgroup v2 alone. */
export const cgroupVersion = check({
  id: "cgroup-version",
  needs: ["cgroupVersion"],
  right:
    "cgroup v2: on v1 containers get their limits, but nothing is protected, sensed or evicted by cgroup",
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

/** Swap can be limited by cgroup. */
export const swapController = check({
  id: "swap-controller",
  needs: ["canLimitSwap"],
  right: "cgroups have a limit of swap",
  judge: ({ canLimitSwap }) =>
    canLimitSwap
      ? { severity: "ok", found: "cgroups have a limit of swap" }
      : {
          severity: "error",
          found: "no cgroup has a limit of swap, so that no container can be given one",
          remedy:
            "swapaccount=1, and no cgroup_disable=memory, on the kernel's command line, and a restart of the node",
        },
});
