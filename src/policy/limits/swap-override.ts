/** Pod annotation that requests a swap limit for every container of the pod: `"0"`, a quantity, or `max`. */
const POD_OVERRIDE_ANNOTATION = "wasp.io/swap-limit";

/**
 * Prefix of the pod annotation that requests a limit for one container, `swap-limit.wasp.io/CONTAINER`. An annotation's
 * key may have a single slash (apimachinery pkg/util/validation/validation.go, IsQualifiedName), so the container's
 * name is the part after it.
 */
const CONTAINER_OVERRIDE_PREFIX = "swap-limit.wasp.io/";

/**
 * Returns the swap limit that a pod requests for one container, as written; the container's own annotation has
 * precedence.
 */
export function swapOverrideOf(
  annotations: Readonly<Record<string, unknown>>,
  containerName: string | undefined,
): string | undefined {
  const own =
    containerName === undefined ? undefined : annotations[CONTAINER_OVERRIDE_PREFIX + containerName];
  const asked = own ?? annotations[POD_OVERRIDE_ANNOTATION];
  return typeof asked === "string" ? asked : undefined;
}
