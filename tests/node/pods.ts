import type {
  V1Container,
  V1ContainerStatus,
  V1Pod,
  V1PodList,
  V1ResourceRequirements,
} from "@kubernetes/client-node";
import type { Json } from "../../src/cluster/kubernetes-json.ts";
import type { QosClass } from "../../src/policy/kubernetes/pod-cgroup.ts";
import { recordedPods } from "./fake-kubelet.ts";
import { containerIdOf, podUidOf } from "./kubepods-tree.ts";

const recorded: Json<V1PodList> = JSON.parse(recordedPods("kubelet-pods.json"));
const template = recorded.items.find((pod) => pod.metadata?.name === "burstable") as RecordedPod;

/** Pod of a recorded list, whose metadata, spec and status are always set. */
type RecordedPod = Required<Pick<Json<V1Pod>, "metadata" | "spec" | "status">>;

/** Container of a pod in the kubelet's list. */
export interface ContainerSpec {
  readonly name: string;
  /** Id that its runtime gave it; undefined before it is created. */
  readonly id?: string | undefined;
  readonly requestBytes?: number;
  readonly limitBytes?: number;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly kind?: "regular" | "init" | "sidecar" | "ephemeral";
}

/** Pod of the node in the kubelet's list. */
export interface PodSpec {
  readonly uid: string;
  readonly name: string;
  readonly namespace?: string;
  readonly qosClass?: QosClass;
  readonly priority?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** True from its deletion until its removal. */
  readonly isTerminating?: boolean;
  readonly containers: readonly ContainerSpec[];
}

/** Memory request of the container of podOf, in bytes. */
export const REQUEST_BYTES = 64 * 2 ** 20;

/** Returns, for the number 1, a Burstable pod `pod-1` with a container `app` whose id is containerIdOf(1). */
export function podOf(number: number, changes: Partial<PodSpec> = {}): PodSpec {
  const containers = [{ name: "app", id: containerIdOf(number), requestBytes: REQUEST_BYTES }];
  return { uid: podUidOf(number), name: `pod-${number}`, containers, ...changes };
}

/** Returns the kubelet's list as JSON text: each pod is the recorded Burstable pod with these fields replaced. */
export function podListJson(pods: readonly PodSpec[]): string {
  return `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[${pods.map(podText).join(",")}]}`;
}

// Cached, because a change of one pod makes the kubelet list hundreds of them again.
const texts = new WeakMap<PodSpec, string>();

function podText(pod: PodSpec): string {
  const text = texts.get(pod) ?? JSON.stringify(podJson(pod));
  texts.set(pod, text);
  return text;
}

function podJson(pod: PodSpec): Json<V1Pod> {
  const { uid, name, namespace = "default", qosClass = "Burstable", priority = 0, containers } = pod;
  const { labels: _, ...recordedMetadata } = template.metadata;
  const metadata = {
    ...recordedMetadata,
    uid,
    name,
    namespace,
    annotations: { ...recordedMetadata.annotations, ...pod.annotations },
    ...(pod.labels !== undefined && { labels: pod.labels }),
    ...(pod.isTerminating && { deletionTimestamp: "2026-11-22T01:32:57Z" }),
  };
  const containersOf = (...kinds: ContainerSpec["kind"][]) =>
    containers.filter(({ kind = "regular" }) => kinds.includes(kind));
  const statuses = (list: ContainerSpec[]) => list.map(statusJson);
  const init = containersOf("init", "sidecar");
  return {
    metadata,
    spec: {
      ...template.spec,
      priority,
      containers: containersOf("regular").map(specJson),
      initContainers: init.map(specJson),
      ephemeralContainers: containersOf("ephemeral").map(specJson),
    },
    status: {
      ...template.status,
      qosClass,
      containerStatuses: statuses(containersOf("regular")),
      initContainerStatuses: statuses(init),
      ephemeralContainerStatuses: statuses(containersOf("ephemeral")),
    },
  };
}

function specJson(container: ContainerSpec): Json<V1Container> {
  const [like] = template.spec.containers as readonly [Json<V1Container>];
  const { name, env } = container;
  return {
    ...like,
    name,
    ...(env !== undefined && { env }),
    resources: resourcesJson(container),
    ...(container.kind === "sidecar" && { restartPolicy: "Always" }),
  };
}

function statusJson(container: ContainerSpec): Json<V1ContainerStatus> {
  const [recordedStatus] = template.status.containerStatuses as readonly [Json<V1ContainerStatus>];
  const { allocatedResources: _, ...like } = recordedStatus;
  const resources = resourcesJson(container);
  const containerID = container.id === undefined ? "" : `cri-o://${container.id}`;
  return {
    ...like,
    name: container.name,
    containerID,
    ...(resources.requests !== undefined && { allocatedResources: resources.requests }),
    resources,
  };
}

function resourcesJson({ requestBytes, limitBytes }: ContainerSpec): Json<V1ResourceRequirements> {
  return {
    ...(requestBytes !== undefined && { requests: { memory: String(requestBytes) } }),
    ...(limitBytes !== undefined && { limits: { memory: String(limitBytes) } }),
  };
}
