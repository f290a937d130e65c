import { install } from "../finding/remedy.ts";
import { checksOn, ok, warning } from "../finding/rule.ts";
import { isLasting, type UnitFile, unitSettings } from "../target/unit-settings.ts";

/** Settings of system.slice that the kernel has in force. */
export interface SystemSliceInForce {
  /** The text of memory.swap.max. */
  readonly swapMax: string;
  /** The text of io.latency; undefined where the kernel has no such file. */
  readonly ioLatency: string | undefined;
}

/** Facts about system.slice for the rules. */
export interface SystemSliceCheckFacts {
  /** Undefined where its cgroup is missing. */
  readonly systemSlice: SystemSliceInForce | undefined;
  /** The unit files of system.slice, in the order in which systemd reads them. */
  readonly systemSliceFiles: readonly UnitFile[];
}

const check = checksOn<SystemSliceCheckFacts>();

const SLICE = "system.slice";

/** Requires that the node's own services are not swapped out. */
export const systemSlice = check({
  id: "system-slice",
  needs: ["systemSlice"],
  right: `${SLICE}, which holds the node's own services, has a swap limit of 0`,
  judge: ({ systemSlice }) => {
    if (systemSlice === undefined) return undefined;
    return systemSlice.swapMax === "0"
      ? ok(`memory.swap.max of ${SLICE} is 0`)
      : warning(`memory.swap.max of ${SLICE} is ${systemSlice.swapMax}`, install("system-slice"));
  },
});

/** Requires that they are not after a restart of the node either. */
export const systemSliceAfterBoot = check({
  id: "system-slice-after-boot",
  needs: ["systemSliceFiles"],
  right: `a drop-in of ${SLICE} has MemorySwapMax=0`,
  judge: ({ systemSliceFiles }) => {
    const last = unitSettings(systemSliceFiles, "Slice", "MemorySwapMax").at(-1);
    const remedy = install("system-slice");
    if (last === undefined) return warning(`no file of ${SLICE} sets MemorySwapMax`, remedy);
    const found = `MemorySwapMax=${last.value} in ${last.path}`;
    if (!/^0+(\.0*)?[KMGTPE%]?$/.test(last.value)) return warning(found, remedy);
    return isLasting(last.path)
      ? ok(found)
      : warning(`${found}, which is gone after a restart of the node`, remedy);
  },
});
