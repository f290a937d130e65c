// A schema's transformation gives what is left out of a line the key that it has in a snapshot, with undefined.
import * as v from "valibot";

const FigureSchema = v.pipe(
  v.number(),
  // 1e999 is a number to JSON.
  v.check((figure) => figure >= 0 && figure < Number.POSITIVE_INFINITY, "not a figure of zero or more"),
);

const LimitSchema = v.pipe(
  v.union([v.literal("max"), FigureSchema]),
  v.transform((limit) => (limit === "max" ? Number.POSITIVE_INFINITY : limit)),
);

const StallSchema = v.object({
  avg10Percent: FigureSchema,
  avg60Percent: FigureSchema,
  avg300Percent: FigureSchema,
  totalMicroseconds: FigureSchema,
});

const PressureSchema = v.pipe(
  v.object({ some: StallSchema, full: v.optional(StallSchema) }),
  v.transform(({ some, full }) => ({ some, full })),
);

const CGROUP_ENTRIES = {
  memoryBytes: FigureSchema,
  inactiveFileBytes: FigureSchema,
  anonBytes: FigureSchema,
  swapBytes: FigureSchema,
  anonRefaults: FigureSchema,
  fileRefaults: FigureSchema,
};

const CONTAINER_ENTRIES = {
  ...CGROUP_ENTRIES,
  swappableBytes: v.optional(FigureSchema),
  swapLimitBytes: v.optional(LimitSchema),
};

const NodeSchema = v.pipe(
  v.object({
    memoryTotalBytes: FigureSchema,
    memoryAvailableBytes: FigureSchema,
    memoryFreeBytes: v.optional(FigureSchema),
    inactiveFileBytes: v.optional(FigureSchema),
    swapTotalBytes: FigureSchema,
    swapFreeBytes: FigureSchema,
    swapInPages: FigureSchema,
    swapOutPages: FigureSchema,
    memoryPressure: v.optional(PressureSchema),
  }),
  v.transform((node) => ({
    ...node,
    memoryFreeBytes: node.memoryFreeBytes,
    inactiveFileBytes: node.inactiveFileBytes,
    memoryPressure: node.memoryPressure,
  })),
);

const KubepodsSchema = v.pipe(
  v.object({
    ...CGROUP_ENTRIES,
    memoryMaxBytes: LimitSchema,
    memoryHighBytes: LimitSchema,
    memoryPressure: v.optional(PressureSchema),
  }),
  v.transform((kubepods) => ({ ...kubepods, memoryPressure: kubepods.memoryPressure })),
);

const PodSchema = v.pipe(
  v.object({
    uid: v.string(),
    namespace: v.string(),
    name: v.string(),
    annotations: v.record(v.string(), v.string()),
    labels: v.record(v.string(), v.string()),
    qosClass: v.optional(v.picklist(["Guaranteed", "Burstable", "BestEffort"])),
    priority: v.optional(v.pipe(v.number(), v.safeInteger())),
    phase: v.optional(v.string()),
    isTerminating: v.boolean(),
    ownerKind: v.optional(v.string()),
    containers: v.array(
      v.pipe(
        v.object({
          name: v.string(),
          id: v.optional(v.string()),
          memoryRequestBytes: FigureSchema,
          memoryLimitBytes: v.optional(FigureSchema),
        }),
        v.transform((container) => ({
          ...container,
          id: container.id,
          memoryLimitBytes: container.memoryLimitBytes,
        })),
      ),
    ),
  }),
  v.transform((pod) => ({
    ...pod,
    qosClass: pod.qosClass,
    priority: pod.priority,
    phase: pod.phase,
    ownerKind: pod.ownerKind,
  })),
);

/** The first line of a recording of this version, on which TraceHeader tells more. */
export const HeaderSchema = v.object({
  startedAt: v.pipe(v.string(), v.isoTimestamp("not a time in RFC 3339")),
  pageBytes: v.pipe(FigureSchema, v.minValue(1, "not the size of a page")),
  wasp: v.string(),
});

/** A line that tells the pods. */
export const PodsLineSchema = v.object({ at: FigureSchema, pods: v.array(PodSchema) });

/** A line that tells a second's figures: a container's are all there in the first line that it is in. */
export const SampleLineSchema = v.object({
  at: FigureSchema,
  node: NodeSchema,
  kubepods: v.optional(KubepodsSchema),
  containers: v.optional(
    v.array(
      v.object({
        id: v.string(),
        ...v.partial(v.object({ podUid: v.string(), ...CONTAINER_ENTRIES })).entries,
      }),
    ),
    [],
  ),
  gone: v.optional(v.array(v.string()), []),
});

/** A container that was not in the recording before. */
export const NewContainerSchema = v.pipe(
  v.object({
    id: v.string(),
    podUid: v.string(),
    ...CONTAINER_ENTRIES,
    // The line has been read already, so that "max" is Infinity by now.
    swapLimitBytes: v.optional(v.number()),
  }),
  v.transform((container) => ({
    ...container,
    swappableBytes: container.swappableBytes,
    swapLimitBytes: container.swapLimitBytes,
  })),
);
