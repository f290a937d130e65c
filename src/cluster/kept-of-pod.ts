import { type Kept, members } from "./json-pruner.ts";
import { KEPT_ANNOTATION, KEPT_LABEL } from "./pod-schema.ts";

const memory = members({ memory: true });
const resources = members({ requests: memory, limits: memory });
const container = members({ name: true, resources });
const containerStatus = members({
  name: true,
  containerID: true,
  state: members({ running: members({}) }),
  allocatedResources: memory,
  resources,
});

/** Fields of a pod that `decodePod` reads. */
export const KEPT_OF_POD: Kept = members({
  metadata: members({
    uid: true,
    namespace: true,
    name: true,
    annotations: matching(KEPT_ANNOTATION),
    labels: matching(KEPT_LABEL),
    deletionTimestamp: true,
    ownerReferences: members({ kind: true, controller: true }),
  }),
  spec: members({
    priority: true,
    containers: container,
    initContainers: container,
    ephemeralContainers: container,
  }),
  status: members({
    qosClass: true,
    phase: true,
    containerStatuses: containerStatus,
    initContainerStatuses: containerStatus,
    ephemeralContainerStatuses: containerStatus,
  }),
});

function matching(pattern: RegExp): Kept {
  return (name) => (pattern.test(name) ? true : undefined);
}
