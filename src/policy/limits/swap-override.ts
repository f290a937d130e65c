/** The pod annotation that asks for a swap limit for every container of the pod: `"0"`, a quantity, or `max`. */
const POD_OVERRIDE_ANNOTATION = "wasp.io/swap-limit";

/**
 * The prefix of the pod annotation that asks for one container, `swap-limit.wasp.io/CONTAINER`. An annotation's key
 * may hold a single slash (apimachinery pkg/util/validation/validation.go, IsQualifiedName), so the container's
 * name takes the place behind it.
 */
const CONTAINER_OVERRIDE_PREFIX = "swap-limit.wasp.io/";

/** The swap limit that a pod asks for on behalf of one container, as written; the container's own wins. */
export function swapOverrideOf(
  annotations: Readonly<Record<string, unknown>>,
  containerName: string | undefined,
): string | undefined {
  const own =
    containerName === undefined ? undefined : annotations[CONTAINER_OVERRIDE_PREFIX + containerName];
  const asked = own ?? annotations[POD_OVERRIDE_ANNOTATION];
  return typeof asked === "string" ? asked : undefined;
}
