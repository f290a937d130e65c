import type { PodContainer } from "../policy/kubernetes/pod.ts";
import { parseAnyQuantity } from "../policy/kubernetes/quantity.ts";
import type { AmountsOrNone, ContainerSpecs, ContainerStatuses, Resources } from "./pod-schema.ts";
import { type Unreadable, ValueReader } from "./readable.ts";

// No pod runs as many; they stay in memory for each of hundreds of pods.
const MAX_CONTAINERS = 1000;

type Readable<T> = Exclude<T, Unreadable | null | undefined>;
type ContainerSpec = Readable<ContainerSpecs[number]>;
type ContainerStatus = Readable<Readable<ContainerStatuses>[number]>;

/** Containers of one kind in a pod: their specification and their status, each with the path of its field. */
export interface ContainerFields {
  readonly specs: ContainerSpecs | Unreadable | null | undefined;
  readonly specsField: string;
  readonly statuses: ContainerStatuses;
  readonly statusesField: string;
}

/** Decodes containers of one kind. One with an unreadable value is marked; its problems are added to `problems`. */
export function decodeContainers(fields: ContainerFields, problems: string[]): PodContainer[] {
  const ofPod = new ValueReader(problems);
  const statuses = new Map<string, ContainerStatus>();
  for (const [index, item] of (ofPod.take(fields.statusesField, fields.statuses) ?? []).entries()) {
    const status = ofPod.take(`${fields.statusesField}.${index}`, item);
    if (status !== undefined && !statuses.has(status.name)) statuses.set(status.name, status);
  }
  const specs = ofPod.take(fields.specsField, fields.specs) ?? [];
  if (specs.length > MAX_CONTAINERS)
    ofPod.fail(`${fields.specsField}: all but ${MAX_CONTAINERS} of ${specs.length} are left out`);
  return specs.slice(0, MAX_CONTAINERS).flatMap((item, index) => {
    const spec = ofPod.take(`${fields.specsField}.${index}`, item);
    return spec === undefined ? [] : containerOf(spec, statuses.get(spec.name), problems);
  });
}

function containerOf(
  spec: ContainerSpec,
  status: ContainerStatus | undefined,
  problems: string[],
): PodContainer {
  const reader = new ValueReader(problems, `container ${spec.name}: `);
  const { request, limit } = memoryOf(spec, status, reader);
  const memoryRequestBytes = bytesOf("request", request, reader) ?? 0;
  const memoryLimitBytes = bytesOf("limit", limit, reader) ?? Number.POSITIVE_INFINITY;
  const id = reader.take("containerID", status?.containerID);
  const isRunning = reader.take("state", status?.state)?.running != null;
  return {
    name: spec.name,
    id,
    // No node has this much memory: the kubelet admits no such pod, and a limit like that limits nothing.
    memoryRequestBytes: Math.min(memoryRequestBytes, Number.MAX_SAFE_INTEGER),
    memoryLimitBytes: Number.isFinite(memoryLimitBytes) ? memoryLimitBytes : undefined,
    ...(isRunning && { isRunning }),
    ...(reader.hasFailed && { isUnreadable: true }),
  };
}

/** Memory request and limit of a container as they were sent. */
interface MemoryAmounts {
  readonly request: unknown;
  readonly limit: unknown;
}

function memoryOf(
  spec: ContainerSpec,
  status: ContainerStatus | undefined,
  reader: ValueReader,
): MemoryAmounts {
  const allocated = memoryIn(status?.allocatedResources, "allocatedResources", reader);
  const isInForce = status?.resources != null;
  // A resize that is deferred or infeasible is in the specification alone. `status.resources` has what the kubelet allocated,
  // or nothing where nothing is allocated (kubernetes pkg/kubelet/kubelet_pods.go, convertToAPIContainerStatuses);
  // `allocatedResources` is behind a feature gate since Kubernetes 1.32.
  const { request, limit } = isInForce
    ? amountsIn(status.resources, "status.resources", reader)
    : amountsIn(spec.resources, "resources", reader);
  // A missing request defaults to the limit (kubernetes pkg/apis/core/v1/defaults.go, SetDefaults_Pod).
  return { request: allocated ?? request ?? limit, limit };
}

function amountsIn(resources: Resources, field: string, reader: ValueReader): MemoryAmounts {
  const { requests, limits } = reader.take(field, resources) ?? {};
  return {
    request: memoryIn(requests, `${field}.requests`, reader),
    limit: memoryIn(limits, `${field}.limits`, reader),
  };
}

function memoryIn(amounts: AmountsOrNone, field: string, reader: ValueReader): unknown {
  return reader.take(field, amounts)?.memory;
}

const MAX_SHOWN_CHARACTERS = 80;

/** Returns a quantity of bytes, Infinity if it is more than a number can hold; undefined without one. */
function bytesOf(figure: "request" | "limit", amount: unknown, reader: ValueReader): number | undefined {
  if (amount === null || amount === undefined) return undefined;
  const isText = typeof amount === "string" || typeof amount === "number";
  const bytes = isText ? parseAnyQuantity(String(amount)) : undefined;
  if (bytes === undefined) {
    const shown = JSON.stringify(amount).slice(0, MAX_SHOWN_CHARACTERS);
    reader.fail(`the memory ${figure} ${shown} is not a quantity of bytes, so its swap limit stays as it is`);
  }
  return bytes;
}
