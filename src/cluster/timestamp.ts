/** Formats a time as Kubernetes objects have it, without fractions of a second. */
export function timestamp(epochMilliseconds: number): string {
  return new Date(epochMilliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Parses a time to milliseconds since the epoch; undefined if it is not a time. */
export function parseTimestamp(text: string): number | undefined {
  const epochMilliseconds = Date.parse(text);
  return Number.isNaN(epochMilliseconds) ? undefined : epochMilliseconds;
}
