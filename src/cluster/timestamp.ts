/** A time in the form of Kubernetes' objects, which know no fractions of a second. */
export function timestamp(epochMilliseconds: number): string {
  return new Date(epochMilliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}
