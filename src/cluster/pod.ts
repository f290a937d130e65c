/** Reference to one pod; its UID excludes a later pod of the same name. */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Path of a pod at the API server, or of one of its subresources. */
export function podPath({ namespace, name }: PodRef, ...subresource: readonly string[]): string {
  const parts = ["namespaces", namespace, "pods", name, ...subresource];
  return `/api/v1/${parts.map(encodeURIComponent).join("/")}`;
}
