import * as v from "valibot";

/** Makes a schema of a key that may be omitted: it is undefined in the output, as in a snapshot. */
function omittable<const S extends v.GenericSchema>(schema: S) {
  return v.optional(schema, () => undefined);
}

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

const PressureSchema = v.object({ some: StallSchema, full: omittable(StallSchema) });

const CGROUP_ENTRIES = {
  memoryBytes: FigureSchema,
  inactiveFileBytes: FigureSchema,
  anonBytes: FigureSchema,
  swapBytes: FigureSchema,
  anonRefaults: FigureSchema,
  fileRefaults: FigureSchema,
};

const MEMORY_EVENT_ENTRIES = { high: FigureSchema, max: FigureSchema, oom: FigureSchema };
const MemoryEventsSchema = v.object({ ...MEMORY_EVENT_ENTRIES, local: v.object(MEMORY_EVENT_ENTRIES) });

const CONTAINER_ENTRIES = {
  ...CGROUP_ENTRIES,
  fileBytes: omittable(FigureSchema),
  shmemBytes: omittable(FigureSchema),
  swapCachedBytes: omittable(FigureSchema),
  swappableBytes: omittable(FigureSchema),
  swapLimitBytes: omittable(LimitSchema),
  memoryPressure: omittable(PressureSchema),
  events: omittable(MemoryEventsSchema),
};

const POD_SAMPLE_ENTRIES = {
  ...CGROUP_ENTRIES,
  fileBytes: FigureSchema,
  shmemBytes: FigureSchema,
  swapCachedBytes: FigureSchema,
  swappableBytes: omittable(FigureSchema),
  memoryMaxBytes: omittable(LimitSchema),
  memoryHighBytes: omittable(LimitSchema),
  memoryPressure: omittable(PressureSchema),
  events: omittable(MemoryEventsSchema),
};

const NodeSchema = v.object({
  memoryTotalBytes: FigureSchema,
  memoryAvailableBytes: FigureSchema,
  memoryFreeBytes: omittable(FigureSchema),
  inactiveFileBytes: omittable(FigureSchema),
  swapTotalBytes: FigureSchema,
  swapFreeBytes: FigureSchema,
  swapInPages: FigureSchema,
  swapOutPages: FigureSchema,
  directScans: omittable(FigureSchema),
  kswapdScans: omittable(FigureSchema),
  memoryPressure: omittable(PressureSchema),
});

const KubepodsSchema = v.object({
  ...CGROUP_ENTRIES,
  memoryMaxBytes: LimitSchema,
  memoryHighBytes: LimitSchema,
  memoryPressure: omittable(PressureSchema),
});

const PodContainerSchema = v.object({
  name: v.string(),
  id: omittable(v.string()),
  memoryRequestBytes: FigureSchema,
  memoryLimitBytes: omittable(FigureSchema),
  isRunning: omittable(v.boolean()),
  isUnreadable: omittable(v.boolean()),
});

const PodSchema = v.object({
  uid: v.string(),
  namespace: v.string(),
  name: v.string(),
  annotations: v.record(v.string(), v.string()),
  labels: v.record(v.string(), v.string()),
  qosClass: omittable(v.picklist(["Guaranteed", "Burstable", "BestEffort"])),
  priority: omittable(v.pipe(v.number(), v.safeInteger())),
  phase: omittable(v.string()),
  isTerminating: v.boolean(),
  ownerKind: omittable(v.string()),
  containers: v.array(PodContainerSchema),
});

/** First line of a recording of this version; see TraceHeader. */
export const HeaderSchema = v.object({
  startedAt: v.pipe(v.string(), v.isoTimestamp("not a time in RFC 3339")),
  pageBytes: v.pipe(FigureSchema, v.minValue(1, "not the size of a page")),
  wasp: v.string(),
});

/** Line with the pods. */
export const PodsLineSchema = v.object({ at: FigureSchema, pods: v.array(PodSchema) });

/** Line with the values of one second; the first line of a container or pod has all of its values. */
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
  podSamples: v.optional(
    v.array(v.object({ podUid: v.string(), ...v.partial(v.object(POD_SAMPLE_ENTRIES)).entries })),
    [],
  ),
  gonePods: v.optional(v.array(v.string()), []),
});

// The line has been decoded already, so "max" is Infinity in what is new.

/** Container that is new in the recording. */
export const NewContainerSchema = v.object({
  id: v.string(),
  podUid: v.string(),
  ...CONTAINER_ENTRIES,
  swapLimitBytes: omittable(v.number()),
});

/** Pod whose own cgroup is new in the recording. */
export const NewPodSampleSchema = v.object({
  podUid: v.string(),
  ...POD_SAMPLE_ENTRIES,
  memoryMaxBytes: omittable(v.number()),
  memoryHighBytes: omittable(v.number()),
});
