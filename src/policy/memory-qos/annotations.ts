const SUFFIX = ".memory-qos.nri.io";

/** What a pod asks for on behalf of one of its containers. */
export interface RequestedSetting {
  /** The annotation's key, as the pod has it. */
  readonly annotation: string;
  /** What stands before the suffix: `class`, or a file of the cgroup. */
  readonly name: string;
  readonly value: string;
}

/**
 * Finds what a pod's annotations `NAME.memory-qos.nri.io` and `NAME.memory-qos.nri.io/CONTAINER` ask for a container. The
 * one for the container wins, and an empty one there takes the pod's away (nri-plugins cmd/plugins/memory-qos/main.go,
 * effectiveAnnotations, which lets an empty class fail, against its own documentation).
 */
export function memoryQosRequests(
  containerName: string,
  podAnnotations: Readonly<Record<string, string>>,
): readonly RequestedSetting[] {
  const ofContainer = `${SUFFIX}/${containerName}`;
  const asked = new Map<string, RequestedSetting>();
  for (const ending of [SUFFIX, ofContainer]) {
    for (const annotation in podAnnotations) {
      if (!annotation.endsWith(ending)) continue;
      const name = annotation.slice(0, -ending.length);
      asked.set(name, { annotation, name, value: podAnnotations[annotation] ?? "" });
    }
  }
  return [...asked.values()].filter(({ value }) => value.trim() !== "");
}
