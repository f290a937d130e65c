import type { Host } from "./host.ts";
import { readIfThere } from "./read-host.ts";

/** What a file of settings holds, by name. */
export type Table = Readonly<Record<string, unknown>>;

const PARSERS = {
  TOML: (text: string): unknown => Bun.TOML.parse(text),
  YAML: (text: string): unknown => Bun.YAML.parse(text),
};

/**
 * Reads a host's file of settings; what is no table, and a file that is not there, is an empty one, and where it cannot
 * be read at all, why. What prepare leaves out of its text is not read.
 */
export function readSettings(
  host: Host,
  path: string,
  format: keyof typeof PARSERS,
  prepare = (text: string) => text,
): { readonly table: Table; readonly problem?: string } {
  try {
    const parsed = PARSERS[format](prepare(readIfThere(host, path) ?? ""));
    return { table: isTable(parsed) ? parsed : {} };
  } catch (error) {
    return { table: {}, problem: `${path} is not ${format} that wasp can read: ${(error as Error).message}` };
  }
}

/** Tells whether a setting is a table of settings. */
export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tells whether a setting is a list of texts. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
