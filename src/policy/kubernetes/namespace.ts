/** A namespace name, or the beginning of one followed by `*`. */
export const NAMESPACE_PATTERN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|(?:[a-z0-9][a-z0-9-]{0,61})?\*)$/;

/** Tells whether a namespace is named by one of the patterns; a trailing `*` stands for any ending. */
export function matchesNamespace(namespace: string, patterns: readonly string[]): boolean {
  // Not with some(): the first built-in function that calls back costs the hook's start.
  for (const pattern of patterns) {
    const isMatch = pattern.endsWith("*")
      ? namespace.startsWith(pattern.slice(0, -1))
      : namespace === pattern;
    if (isMatch) return true;
  }
  return false;
}
