import { checksOn, error, ok, warning } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** Requires cgroup v2. */
export const cgroupVersion = check({
  id: "cgroup-version",
  needs: ["cgroupVersion"],
  right:
    "cgroup v2: on v1, containers get their limits, but wasp has no protection, pressure figures or evictions by cgroup",
  judge: ({ cgroupVersion }) =>
    cgroupVersion === 2
      ? ok("cgroup v2")
      : warning(
          "cgroup v1",
          "systemd.unified_cgroup_hierarchy=1 on the kernel's command line, and a restart of the node",
        ),
});

/** Requires that swap can be limited by cgroup. */
export const swapController = check({
  id: "swap-controller",
  needs: ["canLimitSwap"],
  right: "cgroups have a swap limit",
  judge: ({ canLimitSwap }) =>
    canLimitSwap
      ? ok("cgroups have a swap limit")
      : error(
          "no cgroup has a swap limit, so no container can get one",
          "swapaccount=1, and no cgroup_disable=memory, on the kernel's command line, and a restart of the node",
        ),
});
