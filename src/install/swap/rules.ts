import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import { install } from "../finding/remedy.ts";
import { checksOn, type Verdict } from "../finding/rule.ts";
import type { SwapCheckFacts } from "./check-facts.ts";

const check = checksOn<SwapCheckFacts>();

/** Some swap is on. */
export const swap = check({
  id: "swap",
  needs: ["swaps", "swapsAtBoot"],
  right: "swap is on",
  judge: ({ swaps, swapsAtBoot: { paths } }): Verdict => {
    if (swaps.length > 0) {
      const found = swaps.map(({ name, sizeBytes }) => `${name}, ${formatRounded(sizeBytes)}`).join("; ");
      return { severity: "ok", found };
    }
    return paths.length === 0
      ? { severity: "error", found: "no swap is on", remedy: install("swap", "--overcommit 150%") }
      : {
          severity: "error",
          found: `no swap is on, and ${paths.join(", ")} is to be when the node starts`,
          remedy: "systemctl start swap.target",
        };
  },
});

// Less is gone before anybody has sensed that it goes.
const LEAST_PART = 0.05;
// Beyond, most of what pods have may be in swap.
const MOST_PART = 1;

/** There is as much swap as makes a difference, and no more than memory. */
export const swapSize = check({
  id: "swap-size",
  needs: ["memory", "swaps"],
  right: "swap of 5% to 100% of memory",
  judge: ({ memory: { memoryTotalBytes, swapTotalBytes }, swaps }): Verdict | undefined => {
    if (swaps.length === 0) return undefined;
    const part = swapTotalBytes / memoryTotalBytes;
    const sizes = `${formatRounded(swapTotalBytes)} of swap to ${formatRounded(memoryTotalBytes)} of memory`;
    const found = `${sizes}: overcommit ${Math.round(100 * (1 + part))}%`;
    const remedy = `${install("swap", "--overcommit 150%")}, for swap of half the memory's size`;
    if (part < LEAST_PART) return { severity: "warning", found, remedy };
    return part > MOST_PART ? { severity: "note", found } : { severity: "ok", found };
  },
});

/** What is on now is on after a restart of the node, too. */
export const swapAfterBoot = check({
  id: "swap-after-boot",
  needs: ["swaps", "swapsAtBoot"],
  right: "a unit of systemd, or fstab, turns swap on when the node starts",
  judge: ({ swaps, swapsAtBoot }): Verdict | undefined => {
    if (swaps.length === 0) return undefined;
    const { paths, hasZramService } = swapsAtBoot;
    const areas = swaps.filter(
      ({ name, medium }) => !paths.includes(name) && !(medium === "zram" && hasZramService),
    );
    const lost = areas.map(({ name }) => name);
    if (lost.length === 0) return { severity: "ok", found: "it is turned on when the node starts" };
    return {
      severity: "warning",
      found: `nothing turns ${lost.join(", ")} on when the node starts`,
      remedy: areas.some(({ medium }) => medium !== "zram")
        ? `a line in /etc/fstab: ${areas.find(({ medium }) => medium !== "zram")?.name} none swap defaults 0 0`
        : `swapoff ${lost.join(" ")}, then: ${install("swap", "--zram --overcommit 150%")}`,
    };
  },
});
