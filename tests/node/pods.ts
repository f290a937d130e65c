import type { QosClass } from "../../src/policy/kubernetes/pod-cgroup.ts";
import { recordedPods } from "./fake-kubelet.ts";
import { containerIdOf, podUidOf } from "./kubepods-tree.ts";

const recorded = JSON.parse(recordedPods("kubelet-pods.json")).items;
const template = recorded.find((pod: { metadata: { name: string } }) => pod.metadata.name === "burstable");

/** A container of a pod, as the kubelet tells of it. */
export interface ContainerSpec {
  readonly name: string;
  /** The id that its runtime gave it; undefined before it was made. */
  readonly id?: string | undefined;
  readonly requestBytes?: number;
  readonly limitBytes?: number;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly kind?: "regular" | "init" | "sidecar" | "ephemeral";
}

/** A pod of the node, as the kubelet tells of it. */
export interface PodSpec {
  readonly uid: string;
  readonly name: string;
  readonly namespace?: string;
  readonly qosClass?: QosClass;
  readonly priority?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** It was deleted, and is on its way out. */
  readonly isTerminating?: boolean;
  readonly containers: readonly ContainerSpec[];
}

/** How much memory the one container of podOf asks for, in bytes. */
export const REQUEST_BYTES = 64 * 2 ** 20;

/** A Burstable pod `pod-1` of a number 1, with a container `app` whose id is containerIdOf(1). */
export function podOf(number: number, changes: Partial<PodSpec> = {}): PodSpec {
  const containers = [{ name: "app", id: containerIdOf(number), requestBytes: REQUEST_BYTES }];
  return { uid: podUidOf(number), name: `pod-${number}`, containers, ...changes };
}

/** The kubelet's list of its pods, as JSON text: each one is the recorded Burstable pod but for what is said of it. */
export function podListJson(pods: readonly PodSpec[]): string {
  return `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[${pods.map(podText).join(",")}]}`;
}

// Kept, because a node of hundreds of pods tells of all of them whenever one changes.
const texts = new WeakMap<PodSpec, string>();

function podText(pod: PodSpec): string {
  const text = texts.get(pod) ?? JSON.stringify(podJson(pod));
  texts.set(pod, text);
  return text;
}

function podJson(pod: PodSpec): object {
  const { uid, name, namespace = "default", qosClass = "Burstable", priority = 0, containers } = pod;
  const annotations = { ...template.metadata.annotations, ...pod.annotations };
  const deletion = pod.isTerminating ? { deletionTimestamp: "2026-11-22T01:32:57Z" } : {};
  const metadata = {
    ...template.metadata,
    uid,
    name,
    namespace,
    annotations,
    labels: pod.labels,
    ...deletion,
  };
  const of = (...kinds: ContainerSpec["kind"][]) =>
    containers.filter(({ kind = "regular" }) => kinds.includes(kind));
  const statuses = (list: ContainerSpec[]) => list.map(statusJson);
  const init = of("init", "sidecar");
  return {
    metadata,
    spec: {
      ...template.spec,
      priority,
      containers: of("regular").map(specJson),
      initContainers: init.map(specJson),
      ephemeralContainers: of("ephemeral").map(specJson),
    },
    status: {
      ...template.status,
      qosClass,
      containerStatuses: statuses(of("regular")),
      initContainerStatuses: statuses(init),
      ephemeralContainerStatuses: statuses(of("ephemeral")),
    },
  };
}

function specJson(container: ContainerSpec): object {
  const [like] = template.spec.containers;
  const restartPolicy = container.kind === "sidecar" ? "Always" : undefined;
  const { name, env } = container;
  return { ...like, name, env, resources: resourcesJson(container), restartPolicy };
}

function statusJson(container: ContainerSpec): object {
  const [like] = template.status.containerStatuses;
  const { requests } = resourcesJson(container);
  const containerID = container.id === undefined ? "" : `cri-o://${container.id}`;
  return {
    ...like,
    name: container.name,
    containerID,
    allocatedResources: requests,
    resources: resourcesJson(container),
  };
}

function resourcesJson({ requestBytes, limitBytes }: ContainerSpec) {
  return { requests: memoryJson(requestBytes), limits: memoryJson(limitBytes) };
}

function memoryJson(bytes: number | undefined): { memory: string } | undefined {
  return bytes === undefined ? undefined : { memory: String(bytes) };
}
