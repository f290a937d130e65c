import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import type { NodeCapacity } from "../../policy/limits/container.ts";
import { install } from "../finding/remedy.ts";
import { checksOn, error, note, ok, warning } from "../finding/rule.ts";
import type { BlockStack, SwapArea } from "./areas.ts";

/** Swap that is turned on when the node starts. */
export interface SwapsAtBoot {
  /** Swap areas, by the paths that /proc/swaps gives them. */
  readonly paths: readonly string[];
  /** True if a service sets up swap on zram. */
  readonly hasZramService: boolean;
}

/** Facts about swap for the rules. */
export interface SwapCheckFacts {
  readonly memory: NodeCapacity;
  readonly swaps: readonly SwapArea[];
  /** The block devices below each swap area, by its name. */
  readonly swapStacks: ReadonlyMap<string, BlockStack>;
  /** The block devices below the root file system. */
  readonly rootStack: BlockStack;
  readonly swapsAtBoot: SwapsAtBoot;
}

const check = checksOn<SwapCheckFacts>();

/** Checks that swap is on. */
export const swap = check({
  id: "swap",
  needs: ["swaps", "swapsAtBoot"],
  right: "swap is on",
  judge: ({ swaps, swapsAtBoot: { paths } }) => {
    if (swaps.length > 0) {
      const found = swaps.map(({ name, sizeBytes }) => `${name}, ${formatRounded(sizeBytes)}`).join("; ");
      return ok(found);
    }
    return paths.length === 0
      ? error("no swap is on", install("swap", "--overcommit 150%"))
      : error(
          `no swap is on, although ${paths.join(", ")} is turned on at boot`,
          "systemctl start swap.target",
        );
  },
});

// Less than this fills up before the agent can react.
const MIN_SWAP_FRACTION = 0.05;
// With more than this, most memory of the pods may be in swap.
const MAX_SWAP_FRACTION = 1;

/** Checks that the size of swap is in a useful range. */
export const swapSize = check({
  id: "swap-size",
  needs: ["memory", "swaps"],
  right: "swap of 5% to 100% of memory",
  judge: ({ memory: { memoryTotalBytes, swapTotalBytes }, swaps }) => {
    if (swaps.length === 0) return undefined;
    const fraction = swapTotalBytes / memoryTotalBytes;
    const sizes = `${formatRounded(swapTotalBytes)} of swap to ${formatRounded(memoryTotalBytes)} of memory`;
    const found = `${sizes}: overcommit ${Math.round(100 * (1 + fraction))}%`;
    const remedy = `${install("swap", "--overcommit 150%")}, for swap of half the memory's size`;
    if (fraction < MIN_SWAP_FRACTION) return warning(found, remedy);
    return fraction > MAX_SWAP_FRACTION ? note(found) : ok(found);
  },
});

/** Checks that active swap is turned on again at boot. */
export const swapAfterBoot = check({
  id: "swap-after-boot",
  needs: ["swaps", "swapsAtBoot"],
  right: "a unit of systemd, or fstab, turns swap on when the node starts",
  judge: ({ swaps, swapsAtBoot }) => {
    if (swaps.length === 0) return undefined;
    const { paths, hasZramService } = swapsAtBoot;
    const areas = swaps.filter(
      ({ name, medium }) => !paths.includes(name) && !(medium === "zram" && hasZramService),
    );
    const lost = areas.map(({ name }) => name);
    if (lost.length === 0) return ok("it is turned on when the node starts");
    const area = areas.find(({ medium }) => medium !== "zram");
    return warning(
      `nothing turns ${lost.join(", ")} on when the node starts`,
      area === undefined
        ? `swapoff ${lost.join(" ")}, then: ${install("swap", "--zram --overcommit 150%")}`
        : `a line in /etc/fstab: ${area.name} none swap defaults 0 0`,
    );
  },
});
