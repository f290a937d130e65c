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
import { parseAnyQuantity } from "../policy/kubernetes/quantity.ts";
import { describeIssue } from "./decode.ts";
import type { FieldSchemas } from "./kubernetes-json.ts";

/** Server that describes a pod. */
export type PodOrigin = "kubelet" | "api-server";

/** Pod as it was decoded. */
export interface DecodedPod {
  /** Undefined if it is invalid. */
  readonly pod: Pod | undefined;
  /** Messages about the pod, or about figures of it that are left out. */
  readonly problems: readonly string[];
}

/** Decodes one pod; `unnamed` stands for a pod without a name in messages. */
export function decodePod(item: unknown, unnamed: string, origin: PodOrigin): DecodedPod {
  const named = (problem: string) => `${nameOf(item) ?? unnamed}: ${problem}`;
  const result = v.safeParse(PodSchema, item);
  if (!result.success) return { pod: undefined, problems: [named(describeIssue(result.issues[0]))] };
  const problems: string[] = [];
  const pod = podOf(result.output, (problem) => problems.push(named(problem)));
  const believed = origin === "kubelet" ? pod.annotations : withoutSource(pod.annotations);
  return { pod: { ...pod, annotations: believed }, problems };
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

// Parsed later: a pod with a figure that cannot be counted is a pod all the same.
const AmountsSchema = v.nullish(v.object({ memory: v.nullish(v.string()) } satisfies FieldSchemas<Amounts>));

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
type PodFields = v.InferOutput<typeof PodSchema>;
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

type OnProblem = (problem: string) => void;

function podOf({ metadata, spec, status }: PodFields, onProblem: OnProblem): Pod {
  const { uid, namespace, name, annotations, labels, deletionTimestamp, ownerReferences } = metadata;
  return {
    ...{ uid, namespace, name, annotations, labels },
    qosClass: status?.qosClass ?? undefined,
    priority: spec.priority ?? undefined,
    phase: status?.phase ?? undefined,
    isTerminating: typeof deletionTimestamp === "string",
    ownerKind: ownerReferences?.find(({ controller }) => controller)?.kind,
    containers: [
      ...containersOf(spec.containers, status?.containerStatuses, onProblem),
      ...containersOf(spec.initContainers, status?.initContainerStatuses, onProblem),
      ...containersOf(spec.ephemeralContainers, status?.ephemeralContainerStatuses, onProblem),
    ],
  };
}

function containersOf(
  specs: ContainerSpec[] | null | undefined,
  statuses: ContainerStatus[] | null | undefined,
  onProblem: OnProblem,
): PodContainer[] {
  return (specs ?? []).map((spec) =>
    containerOf(
      spec,
      statuses?.find((status) => status.name === spec.name),
      onProblem,
    ),
  );
}

function containerOf(
  spec: ContainerSpec,
  status: ContainerStatus | undefined,
  onProblem: OnProblem,
): PodContainer {
  const { requests, limits } = spec.resources ?? {};
  // A missing request defaults to the limit (kubernetes pkg/apis/core/v1/defaults.go, SetDefaults_Pod).
  const request = status?.allocatedResources?.memory ?? requests?.memory ?? limits?.memory;
  const limit = status?.resources?.limits?.memory ?? limits?.memory;
  const refuse = (figure: string) => onProblem(`container ${spec.name}: ${figure} that wasp can count`);
  return {
    name: spec.name,
    id: status?.containerID ?? undefined,
    memoryRequestBytes: requestBytesOf(request, refuse),
    memoryLimitBytes: limitBytesOf(limit, refuse),
  };
}

// No node has this much memory: a container that runs nevertheless is ranked by its usage.
function requestBytesOf(text: string | null | undefined, refuse: OnProblem): number {
  const bytes = parseAnyQuantity(text ?? "0");
  if (bytes !== undefined && Number.isFinite(bytes)) return bytes;
  refuse(`the memory request ${JSON.stringify(text)} counts as 0: it is not a number of bytes`);
  return 0;
}

// A limit of more memory than any node has is legal, and limits nothing.
function limitBytesOf(text: string | null | undefined, refuse: OnProblem): number | undefined {
  const bytes = text == null ? Number.POSITIVE_INFINITY : parseAnyQuantity(text);
  if (bytes === undefined)
    refuse(`the memory limit ${JSON.stringify(text)} counts as none: it is not a number of bytes`);
  return bytes !== undefined && Number.isFinite(bytes) ? bytes : undefined;
}

const NamedSchema = v.object({
  metadata: v.object({ namespace: NameSchema, name: NameSchema } satisfies FieldSchemas<V1ObjectMeta>),
} satisfies FieldSchemas<V1Pod>);

function nameOf(item: unknown): string | undefined {
  const named = v.safeParse(NamedSchema, item);
  return named.success ? `pod ${named.output.metadata.namespace}/${named.output.metadata.name}` : undefined;
}
