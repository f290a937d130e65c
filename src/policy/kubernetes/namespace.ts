/** Pattern of a namespace name, or of a prefix followed by `*`. */
export const NAMESPACE_PATTERN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|(?:[a-z0-9][a-z0-9-]{0,61})?\*)$/;

/** Returns true if a namespace matches one of the patterns, in which a trailing `*` matches any ending. */
export function matchesNamespace(namespace: string, patterns: readonly string[]): boolean {
  // Not with some(): the first built-in function with a callback costs startup time of the hook.
  for (const pattern of patterns) {
    const isMatch = pattern.endsWith("*")
      ? namespace.startsWith(pattern.slice(0, -1))
      : namespace === pattern;
    if (isMatch) return true;
  }
  return false;
}
