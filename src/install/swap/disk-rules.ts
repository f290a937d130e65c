import { INSTALL_ENCRYPTED, install } from "../finding/remedy.ts";
import { checksOn, note, ok, warning } from "../finding/rule.ts";
import type { BlockStack, SwapArea } from "./areas.ts";
import type { SwapCheckFacts } from "./rules.ts";

const check = checksOn<SwapCheckFacts>();

/** Checks that swap is not on the root file system's disk. */
export const swapDisk = check({
  id: "swap-disk",
  needs: ["swaps", "swapStacks", "rootStack"],
  right: "swap on a disk other than the root file system's: else both slow each other down",
  judge: ({ swaps, swapStacks, rootStack }) => {
    if (swaps.length === 0) return undefined;
    const shared = swaps.flatMap(({ name }) => {
      const disk = swapStacks.get(name)?.disks.find((one) => rootStack.disks.includes(one));
      return disk === undefined ? [] : `${name} is on ${disk}, as the root file system is`;
    });
    if (shared.length === 0) return ok("not on the root file system's disk");
    return note(
      shared.join("; "),
      `${install("system-slice")}, so that the disk serves the node's own services first; better still: a disk for swap alone`,
    );
  },
});

/** Checks that swapped memory is encrypted on disks. */
export const swapEncryption = check({
  id: "swap-encryption",
  needs: ["swaps", "swapStacks"],
  right: "what is swapped out, secrets too, reaches disks encrypted",
  judge: ({ swaps, swapStacks }) => {
    if (swaps.length === 0) return undefined;
    const clear = swaps.filter((area) => isClear(area, swapStacks)).map(({ name }) => name);
    if (clear.length === 0) return ok("nothing reaches a disk unencrypted");
    return warning(
      `no dm-crypt below ${clear.join(", ")}`,
      `swapoff ${clear.join(" ")}, then: ${INSTALL_ENCRYPTED}`,
    );
  },
});

/** Returns true if the content of a swap area reaches a disk unencrypted. */
export function isClear({ name }: SwapArea, stacks: ReadonlyMap<string, BlockStack>): boolean {
  return stacks.get(name)?.isEncrypted !== true;
}

/** Checks that faster swap areas are filled first. */
export const swapPriority = check({
  id: "swap-priority",
  needs: ["swaps", "swapStacks"],
  right:
    "of several swap areas, memory (zram) before disks, and no two disks at one priority that are not alike",
  judge: ({ swaps, swapStacks }) => {
    if (swaps.length < 2) return undefined;
    const ofMemory = swaps.filter(({ medium }) => medium === "zram");
    const ofDisks = swaps.filter(({ medium }) => medium !== "zram");
    const late = ofDisks.find((disk) => ofMemory.some(({ priority }) => priority <= disk.priority));
    const order = swaps.map(({ name, priority }) => `${name} at priority ${priority}`).join(", ");
    if (late !== undefined) return warning(order, `swapon --priority below that of zram for ${late.name}`);
    const striped = ofDisks.filter(
      ({ priority }) => ofDisks.filter((other) => other.priority === priority).length > 1,
    );
    const disks = new Set(striped.flatMap(({ name }) => swapStacks.get(name)?.disks ?? []));
    return disks.size > 1
      ? note(`${order}: the slower of ${[...disks].join(" and ")} sets the pace`)
      : ok(order);
  },
});
