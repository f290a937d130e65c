import type {
  V1Container,
  V1ContainerStatus,
  V1ObjectMeta,
  V1OwnerReference,
  V1Pod,
  V1PodSpec,
  V1PodStatus,
  V1ResourceRequirements,
} from "@kubernetes/client-node";
import * as v from "valibot";
import type { Pod, PodContainer } from "../policy/kubernetes/pod.ts";
import { parseQuantity } from "../policy/kubernetes/quantity.ts";
import { describeIssue } from "./decode.ts";
import type { FieldSchemas } from "./kubernetes-json.ts";

/** Server that describes a pod. */
export type PodOrigin = "kubelet" | "api-server";

/** Decodes one pod; returns a message if that fails, in which `unnamed` stands for a pod without a name. */
export function decodePod(item: unknown, unnamed: string, origin: PodOrigin): Pod | string {
  const result = v.safeParse(PodSchema, item);
  if (!result.success) return `${nameOf(item) ?? unnamed}: ${describeIssue(result.issues[0])}`;
  const pod = podOf(result.output);
  return origin === "kubelet" ? pod : { ...pod, annotations: withoutSource(pod.annotations) };
}

// The kubelet sets it on every pod of its list, whatever the pod's author wrote (kubernetes pkg/kubelet/config/config.go:203,
// updateAnnotations); at the API server it is what the author wrote. A static pod's mirror is known by config.mirror, which
// the API server lets nobody add or change, and a pod that has it runs nothing itself (pkg/kubelet/pod/pod_manager.go).
function withoutSource({
  "kubernetes.io/config.source": _,
  ...others
}: Pod["annotations"]): Pod["annotations"] {
  return others;
}

const NameSchema = v.pipe(
  v.string(),
  v.check((text) => text !== "", "not a name"),
);

const MemorySchema = v.pipe(
  v.string(),
  v.check((text) => parseQuantity(text) !== undefined, "not a number of bytes that wasp can count"),
  v.transform((text) => parseQuantity(text) ?? 0),
);

const AmountsSchema = v.nullish(
  v.object({ memory: v.nullish(MemorySchema) } satisfies FieldSchemas<Amounts>),
);

const ContainersSchema = v.array(
  v.object({
    name: NameSchema,
    resources: v.nullish(
      v.object({
        requests: AmountsSchema,
        limits: AmountsSchema,
      } satisfies FieldSchemas<V1ResourceRequirements>),
    ),
  } satisfies FieldSchemas<V1Container>),
);

// kubernetes pkg/kubelet/container/runtime.go, ContainerID: `TYPE://ID`; empty until the container is created.
// The id becomes part of a path, so only the characters that runtimes use are accepted.
const ContainerIdSchema = v.pipe(
  v.string(),
  v.regex(/^$|^[a-z0-9.+-]+:\/\/(\w[\w.-]*)?$/i, "not a container's id"),
  v.transform((id) => id.slice(id.indexOf("//") + 2) || undefined),
);

const ContainerStatusesSchema = v.nullish(
  v.array(
    v.object({
      name: NameSchema,
      containerID: v.nullish(ContainerIdSchema),
      allocatedResources: AmountsSchema,
      resources: v.nullish(
        v.object({ limits: AmountsSchema } satisfies FieldSchemas<V1ResourceRequirements>),
      ),
    } satisfies FieldSchemas<V1ContainerStatus>),
  ),
);

const KEPT_ANNOTATION =
  /^(kubernetes\.io\/config\.(source|mirror)|(swap-limit\.)?wasp\.io\/.*|[^/]+\.memory-qos\.nri\.io(\/.*)?|descheduler\.alpha\.kubernetes\.io\/(eviction-in-progress|prefer-no-eviction))$/;

const OwnerSchema = v.object({
  kind: NameSchema,
  controller: v.nullish(v.boolean()),
} satisfies FieldSchemas<V1OwnerReference>);

const MetadataSchema = v.object({
  uid: NameSchema,
  namespace: NameSchema,
  name: NameSchema,
  annotations: StringsSchema(KEPT_ANNOTATION),
  labels: StringsSchema(/^kubevirt\.io$/),
  deletionTimestamp: v.nullish(v.string()),
  ownerReferences: v.nullish(v.array(OwnerSchema)),
} satisfies FieldSchemas<V1ObjectMeta>);

const SpecSchema = v.object({
  priority: v.nullish(v.pipe(v.number(), v.safeInteger())),
  containers: ContainersSchema,
  initContainers: v.nullish(ContainersSchema),
  ephemeralContainers: v.nullish(ContainersSchema),
} satisfies FieldSchemas<V1PodSpec>);

const StatusSchema = v.object({
  qosClass: v.nullish(v.picklist(["Guaranteed", "Burstable", "BestEffort"])),
  phase: v.nullish(v.string()),
  containerStatuses: ContainerStatusesSchema,
  initContainerStatuses: ContainerStatusesSchema,
  ephemeralContainerStatuses: ContainerStatusesSchema,
} satisfies FieldSchemas<V1PodStatus>);

const PodSchema = v.object({
  metadata: MetadataSchema,
  spec: SpecSchema,
  status: v.nullish(StatusSchema),
} satisfies FieldSchemas<V1Pod>);

type Amounts = NonNullable<V1ResourceRequirements["requests"]>;
type DecodedPod = v.InferOutput<typeof PodSchema>;
type ContainerSpec = v.InferOutput<typeof ContainersSchema>[number];
type ContainerStatus = NonNullable<v.InferOutput<typeof ContainerStatusesSchema>>[number];

// Other entries are neither kept nor checked: an annotation may hold a whole manifest.
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

function containersOf(
  specs: ContainerSpec[] | null | undefined,
  statuses: ContainerStatus[] | null | undefined,
): PodContainer[] {
  return (specs ?? []).map((spec) =>
    containerOf(
      spec,
      statuses?.find((status) => status.name === spec.name),
    ),
  );
}

function containerOf(spec: ContainerSpec, status: ContainerStatus | undefined): PodContainer {
  const specLimitBytes = spec.resources?.limits?.memory ?? undefined;
  return {
    name: spec.name,
    id: status?.containerID ?? undefined,
    // A missing request defaults to the limit (kubernetes pkg/apis/core/v1/defaults.go, SetDefaults_Pod).
    memoryRequestBytes:
      status?.allocatedResources?.memory ?? spec.resources?.requests?.memory ?? specLimitBytes ?? 0,
    memoryLimitBytes: status?.resources?.limits?.memory ?? specLimitBytes,
  };
}

const NamedSchema = v.object({
  metadata: v.object({ namespace: NameSchema, name: NameSchema } satisfies FieldSchemas<V1ObjectMeta>),
} satisfies FieldSchemas<V1Pod>);

function nameOf(item: unknown): string | undefined {
  const named = v.safeParse(NamedSchema, item);
  return named.success ? `pod ${named.output.metadata.namespace}/${named.output.metadata.name}` : undefined;
}
