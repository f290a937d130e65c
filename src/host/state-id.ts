/**
 * Returns the container's id in the text of an OCI state that is not valid JSON or incomplete; undefined for none. Runtimes
 * write it before the annotations, in which tenants may write another; within their values a quote follows a backslash.
 */
export function idIn(text: string): string | undefined {
  const [own = ""] = text.split('"annotations"', 1);
  return /(?<!\\)"id"\s*:\s*"([\w.+-]{1,256})"/.exec(own)?.[1];
}
