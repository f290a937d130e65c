const STRATEGIC = "application/strategic-merge-patch+json";

/** Content types of the supported patches. */
export const PATCH_TYPES: readonly string[] = [STRATEGIC, "application/merge-patch+json"];

/** Applies a patch of a content type to an object, and returns the result. */
export function patched(before: unknown, patch: unknown, contentType: string): unknown {
  return merge(before, patch, contentType === STRATEGIC, "");
}

// RFC 7386; a strategic merge patch also merges a node's conditions by their types.
function merge(before: unknown, patch: unknown, isStrategic: boolean, field: string): unknown {
  if (isStrategic && field === "conditions" && Array.isArray(before) && Array.isArray(patch)) {
    return mergeByType(before, patch);
  }
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(before) ? { ...before } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value, isStrategic, key);
  }
  return merged;
}

function mergeByType(before: readonly TypedJson[], patch: readonly TypedJson[]): TypedJson[] {
  const merged = new Map(before.map((item) => [item.type, item]));
  for (const item of patch) {
    if (item.$patch === "delete") merged.delete(item.type);
    else merged.set(item.type, { ...merged.get(item.type), ...item });
  }
  return [...merged.values()];
}

interface TypedJson {
  readonly type: string;
  readonly $patch?: string;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
