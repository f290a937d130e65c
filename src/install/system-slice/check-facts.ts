import type { UnitFile } from "../target/unit-settings.ts";

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
