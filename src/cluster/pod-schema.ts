import type {
  V1Container,
  V1ContainerState,
  V1ContainerStatus,
  V1ObjectMeta,
  V1OwnerReference,
  V1Pod,
  V1PodSpec,
  V1PodStatus,
  V1ResourceRequirements,
} from "@kubernetes/client-node";
import * as v from "valibot";
import type { FieldSchemas } from "./kubernetes-json.ts";
import { readable, readableIfThere } from "./readable.ts";

type Amounts = NonNullable<V1ResourceRequirements["requests"]>;

const NameSchema = v.pipe(
  v.string(),
  v.check((text) => text !== "", "not a name"),
);

/** Namespace and name of a pod, which messages about it begin with. */
export const NamedSchema = v.object({
  metadata: v.object({ namespace: NameSchema, name: NameSchema } satisfies FieldSchemas<V1ObjectMeta>),
} satisfies FieldSchemas<V1Pod>);

// Parsed later, with the name of its container.
const AmountsSchema = readableIfThere(
  v.object({
    memory: v.nullish(
      v.pipe(
        v.custom<string>(() => true),
        v.transform((value): unknown => value),
      ),
    ),
  } satisfies FieldSchemas<Amounts>),
);

const ResourcesSchema = readableIfThere(
  v.object({
    requests: AmountsSchema,
    limits: AmountsSchema,
  } satisfies FieldSchemas<V1ResourceRequirements>),
);

const ContainersSchema = v.array(
  readable(v.object({ name: NameSchema, resources: ResourcesSchema } satisfies FieldSchemas<V1Container>)),
);

// kubernetes pkg/kubelet/container/runtime.go, ContainerID: `TYPE://ID`; empty until the container is created.
// The id becomes part of a path, so only the characters that runtimes use are accepted.
const ContainerIdSchema = v.pipe(
  v.string(),
  v.regex(/^$|^[a-z0-9.+-]+:\/\/(\w[\w.-]*)?$/i, "not a container's id"),
  v.transform((id) => id.slice(id.indexOf("//") + 2) || undefined),
);

const StateSchema = v.object({
  running: v.nullish(v.looseObject({})),
} satisfies FieldSchemas<V1ContainerState>);

const ContainerStatusesSchema = readableIfThere(
  v.array(
    readable(
      v.object({
        name: NameSchema,
        containerID: readableIfThere(ContainerIdSchema),
        state: readableIfThere(StateSchema),
        allocatedResources: AmountsSchema,
        resources: ResourcesSchema,
      } satisfies FieldSchemas<V1ContainerStatus>),
    ),
  ),
);

/** Pattern of the annotations that decisions depend on. */
export const KEPT_ANNOTATION =
  /^(kubernetes\.io\/config\.(source|mirror)|(swap-limit\.)?wasp\.io\/.*|[^/]+\.memory-qos\.nri\.io(\/.*)?|descheduler\.alpha\.kubernetes\.io\/(eviction-in-progress|prefer-no-eviction))$/;

/** Pattern of the labels that decisions depend on. */
export const KEPT_LABEL = /^kubevirt\.io$/;

const OwnerSchema = v.object({
  kind: NameSchema,
  controller: v.nullish(v.boolean()),
} satisfies FieldSchemas<V1OwnerReference>);

// A pod is known by its UID and its names alone; every other value may be anything.
const MetadataSchema = v.object({
  uid: NameSchema,
  namespace: NameSchema,
  name: NameSchema,
  annotations: StringsSchema(KEPT_ANNOTATION),
  labels: StringsSchema(KEPT_LABEL),
  deletionTimestamp: readableIfThere(v.string()),
  ownerReferences: readableIfThere(v.array(OwnerSchema)),
} satisfies FieldSchemas<V1ObjectMeta>);

const SpecSchema = v.object({
  priority: readableIfThere(v.pipe(v.number(), v.safeInteger("not an integer"))),
  containers: readable(ContainersSchema),
  initContainers: readableIfThere(ContainersSchema),
  ephemeralContainers: readableIfThere(ContainersSchema),
} satisfies FieldSchemas<V1PodSpec>);

const StatusSchema = v.object({
  qosClass: readableIfThere(v.picklist(["Guaranteed", "Burstable", "BestEffort"])),
  phase: readableIfThere(v.string()),
  containerStatuses: ContainerStatusesSchema,
  initContainerStatuses: ContainerStatusesSchema,
  ephemeralContainerStatuses: ContainerStatusesSchema,
} satisfies FieldSchemas<V1PodStatus>);

/** Pod with the fields that decisions depend on, each an Unreadable if it is not what Kubernetes defines. */
export const PodSchema = v.object({
  metadata: MetadataSchema,
  spec: readable(SpecSchema),
  status: readableIfThere(StatusSchema),
} satisfies FieldSchemas<V1Pod>);

/** Fields of a pod. */
export type PodFields = v.InferOutput<typeof PodSchema>;
/** Containers of a pod's specification. */
export type ContainerSpecs = v.InferOutput<typeof ContainersSchema>;
/** Status of a pod's containers. */
export type ContainerStatuses = v.InferOutput<typeof ContainerStatusesSchema>;
/** Resources of a container, with their quantities as they were sent. */
export type Resources = v.InferOutput<typeof ResourcesSchema>;
/** Requests or limits of a container, as they were sent. */
export type AmountsOrNone = v.InferOutput<typeof AmountsSchema>;

// Other entries are neither kept nor checked: an annotation may hold a whole manifest.
function StringsSchema(isKept: RegExp) {
  return readableIfThere(
    v.pipe(
      v.record(v.string(), v.unknown()),
      v.transform((entries) =>
        Object.fromEntries(Object.entries(entries).filter(([key]) => isKept.test(key))),
      ),
      v.record(v.string(), readable(v.string())),
    ),
  );
}
