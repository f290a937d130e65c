/** A time in the form of Kubernetes' objects, which know no fractions of a second. */
export function timestamp(epochMilliseconds: number): string {
  return new Date(epochMilliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}

/** The time that such a text tells, in milliseconds since the epoch; undefined when it tells none. */
export function timeIn(text: string): number | undefined {
  const epochMilliseconds = Date.parse(text);
  return Number.isNaN(epochMilliseconds) ? undefined : epochMilliseconds;
}
