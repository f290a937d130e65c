import { checksOn, note, ok, warning } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

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
