import { INSTALL_ENCRYPTED } from "../../finding/remedy.ts";
import { checksOn, error, note, ok, warning } from "../../finding/rule.ts";
import { isClear } from "../../swap/disk-rules.ts";
import { isAtLeast } from "../../target/version.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

// Before, a cgroup at its memory.high may stall forever (kubernetes pkg/util/kernel/constants.go,
// MemoryQoSMinKernelVersion).
const MIN_RELEASE_FOR_MEMORY_HIGH = "5.9";

/** Requires a kernel on which memory.high is safe: it makes the kernel swap before the kubelet evicts. */
export const kernel = check({
  id: "kernel",
  needs: ["kernelRelease"],
  right: `Linux ${MIN_RELEASE_FOR_MEMORY_HIGH} or newer: on older ones, memory.high, which makes pods swap before the kubelet evicts, may stall pods forever`,
  judge: ({ kernelRelease }) =>
    isAtLeast(kernelRelease, MIN_RELEASE_FOR_MEMORY_HIGH)
      ? ok(`Linux ${kernelRelease}`)
      : warning(`Linux ${kernelRelease}`, "swapReach: Off for wasp agent"),
});

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

/** Requires that the kernel swaps before the page cache is used up. */
export const swappiness = check({
  id: "swappiness",
  needs: ["swappiness"],
  right:
    "vm.swappiness above 0, such as its default, 60: at 0 the kernel swaps only when almost no page cache is left",
  judge: ({ swappiness }) =>
    swappiness > 0
      ? ok(`vm.swappiness is ${swappiness}`)
      : warning("vm.swappiness is 0", "sysctl vm.swappiness=60, and the same in /etc/sysctl.d"),
});

/** Requires that pages are not compressed twice. */
export const zswap = check({
  id: "zswap",
  needs: ["isZswapOn", "swaps"],
  right: "zswap is off where swap is already compressed memory (zram)",
  judge: ({ isZswapOn, swaps }) => {
    if (!isZswapOn) return ok("zswap is off");
    const zram = swaps.find(({ medium }) => medium === "zram");
    if (zram === undefined)
      return note("zswap is on: a part of the swapped-out pages is still in memory, compressed");
    return warning(
      `zswap is on in front of ${zram.name}: pages are compressed twice`,
      "zswap.enabled=0 on the kernel's command line; now: echo 0 > /sys/module/zswap/parameters/enabled",
    );
  },
});

// Since then the kubelet mounts with noswap without probing for it (kubernetes pkg/util/kernel/constants.go,
// TmpfsNoswapSupportKernelVersion).
const MIN_RELEASE_FOR_NOSWAP = "6.4";

/** Requires that volumes in memory, secrets among them, are not swapped out. */
export const tmpfsNoswap = check({
  id: "tmpfs-noswap",
  needs: ["kernelRelease", "hasNoswapMount", "swaps", "swapStacks"],
  right: "the kernel can keep a tmpfs out of swap (noswap), as the kubelet does for secrets",
  judge: ({ kernelRelease, hasNoswapMount, swaps, swapStacks }) => {
    if (isAtLeast(kernelRelease, MIN_RELEASE_FOR_NOSWAP)) return ok(`Linux ${kernelRelease} supports noswap`);
    if (hasNoswapMount) return ok("a tmpfs is mounted with noswap");
    const verdict = swaps.some((area) => isClear(area, swapStacks)) ? warning : note;
    return verdict(
      `Linux ${kernelRelease} is older than ${MIN_RELEASE_FOR_NOSWAP}, and no tmpfs is mounted with noswap: secrets may be swapped out`,
      `Linux ${MIN_RELEASE_FOR_NOSWAP} or newer, or encrypted swap: ${INSTALL_ENCRYPTED}`,
    );
  },
});
