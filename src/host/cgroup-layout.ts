// Loaded by the hook: no imports, so that it costs nothing.

/** Mount point of cgroup v2, or directory of cgroup v1's hierarchies. */
export const CGROUP_ROOT = "/sys/fs/cgroup";

/** Version of the cgroup hierarchy that has the memory controller. */
export type CgroupVersion = 1 | 2;

/** Location and format of the memory controller's files. */
interface CgroupLayout {
  /** Mount point of the hierarchy. */
  readonly mount: string;
  readonly swapLimitFile: string;
  /** Spelling of no limit in a write. */
  readonly unlimited: string;
  /** Memory limit that the value of a swap limit includes; undefined where the value is swap alone. */
  readonly includedLimitFile: string | undefined;
  readonly swapUsageFile: string;
  /** Pattern of the swap usage in its file, in bytes. */
  readonly swapUsage: RegExp;
  /** True if the hierarchy's root has the limit files of a cgroup. */
  readonly hasRootLimits: boolean;
  /** Undefined where throttling is not supported. */
  readonly memoryHighFile: string | undefined;
}

/** Layouts of cgroup v1 and v2 (kernel Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst). */
export const CGROUP_LAYOUTS = {
  1: {
    mount: `${CGROUP_ROOT}/memory`,
    swapLimitFile: "memory.memsw.limit_in_bytes",
    unlimited: "-1",
    includedLimitFile: "memory.limit_in_bytes",
    swapUsageFile: "memory.stat",
    swapUsage: /^total_swap (\d+)$/m,
    hasRootLimits: true,
    memoryHighFile: undefined,
  },
  2: {
    mount: CGROUP_ROOT,
    swapLimitFile: "memory.swap.max",
    unlimited: "max",
    includedLimitFile: undefined,
    swapUsageFile: "memory.swap.current",
    swapUsage: /^(\d+)\s*$/,
    hasRootLimits: false,
    memoryHighFile: "memory.high",
  },
} as const satisfies Record<CgroupVersion, CgroupLayout>;
