const SUFFIX = ".memory-qos.nri.io";

/** Setting that a pod requests for one of its containers. */
export interface RequestedSetting {
  /** Key of the annotation in the pod. */
  readonly annotation: string;
  /** Part before the suffix: `class`, or a file of the cgroup. */
  readonly name: string;
  readonly value: string;
}

/**
 * Finds the settings that a pod's annotations `NAME.memory-qos.nri.io` and `NAME.memory-qos.nri.io/CONTAINER` request
 * for a container. The container's annotation has precedence, and an empty one cancels the pod's (nri-plugins
 * cmd/plugins/memory-qos/main.go, effectiveAnnotations, which rejects an empty class, against its own documentation).
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
