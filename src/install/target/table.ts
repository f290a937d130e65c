/** A table of TOML, a mapping of YAML or an object of JSON. */
export type Table = Readonly<Record<string, unknown>>;

/** Returns true if a value is a table. */
export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns a value that is a table, and an empty table for any other. */
export function tableOf(value: unknown): Table {
  return isTable(value) ? value : {};
}

/** Returns a member of a value; undefined where the value is no table. */
export function memberOf(value: unknown, name: string): unknown {
  return isTable(value) ? value[name] : undefined;
}

/** Returns true if a value is a list of strings. */
export function areStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
