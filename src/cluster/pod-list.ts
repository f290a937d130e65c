import * as v from "valibot";
import type { Pod, PodContainer } from "../policy/kubernetes/pod.ts";
import { parseQuantity } from "../policy/kubernetes/quantity.ts";
import { complaint, decode } from "./decode.ts";

/** The pods of a node, and one sentence for each that could not be understood. */
export interface PodList {
  readonly pods: readonly Pod[];
  readonly problems: readonly string[];
}

/** Parts pods from the sentences about those that could not be understood. */
export function podListOf(decoded: readonly (Pod | string)[]): PodList {
  return {
    pods: decoded.filter((pod) => typeof pod !== "string"),
    problems: decoded.filter((pod) => typeof pod === "string"),
  };
}

/** Throws an Error when what is around the pods of a list is not JSON text, or not of a PodList. */
export function checkPodList(frame: string): void {
  decode(ListSchema, frame, "a PodList");
}

/** Decodes one pod; one that could not be understood gives a sentence, which calls it `unnamed` unless it has a name. */
export function decodePod(item: unknown, unnamed: string): Pod | string {
  const result = v.safeParse(PodSchema, item);
  return result.success ? podOf(result.output) : `${nameOf(item) ?? unnamed}: ${complaint(result.issues[0])}`;
}

const ListSchema = v.object({ kind: v.literal("PodList"), items: v.nullish(v.array(v.unknown())) });

const MemorySchema = v.pipe(
  v.string(),
  v.check((text) => parseQuantity(text) !== undefined, "not a number of bytes that wasp can count"),
  v.transform((text) => parseQuantity(text) ?? 0),
);

const AmountsSchema = v.nullish(v.object({ memory: v.nullish(MemorySchema) }));

const ContainersSchema = v.array(
  v.object({
    name: NameSchema(),
    resources: v.nullish(v.object({ requests: AmountsSchema, limits: AmountsSchema })),
  }),
);

// kubernetes pkg/kubelet/container/runtime.go, ContainerID: `TYPE://ID`; empty until the container was made.
// The id becomes part of a path, so it is held to what runtimes make.
const ContainerIdSchema = v.pipe(
  v.string(),
  v.regex(/^$|^[a-z0-9.+-]+:\/\/(\w[\w.-]*)?$/i, "not a container's id"),
  v.transform((id) => id.slice(id.indexOf("//") + 2) || undefined),
);

const ContainerStatusesSchema = v.nullish(
  v.array(
    v.object({
      name: NameSchema(),
      containerID: v.nullish(ContainerIdSchema),
      allocatedResources: AmountsSchema,
      resources: v.nullish(v.object({ limits: AmountsSchema })),
    }),
  ),
);

const KEPT_ANNOTATION =
  /^(kubernetes\.io\/config\.(source|mirror)|(swap-limit\.)?wasp\.io\/.*|[^/]+\.memory-qos\.nri\.io(\/.*)?|descheduler\.alpha\.kubernetes\.io\/(eviction-in-progress|prefer-no-eviction))$/;

const PodSchema = v.object({
  metadata: v.object({
    uid: NameSchema(),
    namespace: NameSchema(),
    name: NameSchema(),
    annotations: StringsSchema(KEPT_ANNOTATION),
    labels: StringsSchema(/^kubevirt\.io$/),
    deletionTimestamp: v.nullish(v.string()),
    ownerReferences: v.nullish(v.array(v.object({ kind: NameSchema(), controller: v.nullish(v.boolean()) }))),
  }),
  spec: v.object({
    priority: v.nullish(v.pipe(v.number(), v.safeInteger())),
    containers: ContainersSchema,
    initContainers: v.nullish(ContainersSchema),
    ephemeralContainers: v.nullish(ContainersSchema),
  }),
  status: v.nullish(
    v.object({
      qosClass: v.nullish(v.picklist(["Guaranteed", "Burstable", "BestEffort"])),
      phase: v.nullish(v.string()),
      containerStatuses: ContainerStatusesSchema,
      initContainerStatuses: ContainerStatusesSchema,
      ephemeralContainerStatuses: ContainerStatusesSchema,
    }),
  ),
});

type DecodedPod = v.InferOutput<typeof PodSchema>;
type Spec = v.InferOutput<typeof ContainersSchema>[number];
type Status = NonNullable<v.InferOutput<typeof ContainerStatusesSchema>>[number];

function NameSchema() {
  return v.pipe(
    v.string(),
    v.check((text) => text !== "", "not a name"),
  );
}

// Of the rest nothing is kept, nor even looked at: an annotation may hold a whole manifest.
function StringsSchema(isKept: RegExp) {
  return v.pipe(
    v.nullish(v.record(v.string(), v.unknown()), {}),
    v.transform((entries) => Object.fromEntries(Object.entries(entries).filter(([key]) => isKept.test(key)))),
    v.record(v.string(), v.string()),
  );
}

function podOf({ metadata, spec, status }: DecodedPod): Pod {
  const { uid, namespace, name, annotations, labels, deletionTimestamp, ownerReferences } = metadata;
  return {
    ...{ uid, namespace, name, annotations, labels },
    qosClass: status?.qosClass ?? undefined,
    priority: spec.priority ?? undefined,
    phase: status?.phase ?? undefined,
    isTerminating: typeof deletionTimestamp === "string",
    ownerKind: ownerReferences?.find(({ controller }) => controller)?.kind,
    containers: [
      ...containersOf(spec.containers, status?.containerStatuses),
      ...containersOf(spec.initContainers, status?.initContainerStatuses),
      ...containersOf(spec.ephemeralContainers, status?.ephemeralContainerStatuses),
    ],
  };
}

function containersOf(specs: Spec[] | null | undefined, statuses: Status[] | null | undefined) {
  return (specs ?? []).map((spec) =>
    containerOf(
      spec,
      statuses?.find((status) => status.name === spec.name),
    ),
  );
}

function containerOf(spec: Spec, status: Status | undefined): PodContainer {
  const asked = spec.resources?.limits?.memory ?? undefined;
  return {
    name: spec.name,
    id: status?.containerID ?? undefined,
    // A limit stands in for a request that is missing (kubernetes pkg/apis/core/v1/defaults.go, SetDefaults_Pod).
    memoryRequestBytes: status?.allocatedResources?.memory ?? spec.resources?.requests?.memory ?? asked ?? 0,
    memoryLimitBytes: status?.resources?.limits?.memory ?? asked,
  };
}

const NamedSchema = v.object({ metadata: v.object({ namespace: NameSchema(), name: NameSchema() }) });

function nameOf(item: unknown): string | undefined {
  const named = v.safeParse(NamedSchema, item);
  return named.success ? `pod ${named.output.metadata.namespace}/${named.output.metadata.name}` : undefined;
}
