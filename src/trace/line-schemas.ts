// The transformation of a schema adds each omitted key with the value undefined, as in a snapshot.
import * as v from "valibot";

const FigureSchema = v.pipe(
  v.number(),
  // 1e999 is a valid number in JSON.
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

/** First line of a recording of this version; see TraceHeader. */
export const HeaderSchema = v.object({
  startedAt: v.pipe(v.string(), v.isoTimestamp("not a time in RFC 3339")),
  pageBytes: v.pipe(FigureSchema, v.minValue(1, "not the size of a page")),
  wasp: v.string(),
});

/** Line with the pods. */
export const PodsLineSchema = v.object({ at: FigureSchema, pods: v.array(PodSchema) });

/** Line with the values of one second; the first line of a container has all of its values. */
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

/** Container that is new in the recording. */
export const NewContainerSchema = v.pipe(
  v.object({
    id: v.string(),
    podUid: v.string(),
    ...CONTAINER_ENTRIES,
    // The line has been decoded already, so "max" is Infinity here.
    swapLimitBytes: v.optional(v.number()),
  }),
  v.transform((container) => ({
    ...container,
    swappableBytes: container.swappableBytes,
    swapLimitBytes: container.swapLimitBytes,
  })),
);
