import type { Host } from "./host.ts";
import { readIfThere } from "./read-host.ts";
import { type Table, tableOf } from "./table.ts";

const PARSERS = {
  TOML: (text: string): unknown => Bun.TOML.parse(text),
  YAML: (text: string): unknown => Bun.YAML.parse(text),
};

/**
 * Reads a settings file of a host. The table is empty where the file is missing, holds no table, or cannot be parsed,
 * which `problem` then explains. `prepare` removes what is to be left out from the text before it is parsed.
 */
export function readSettingsFile(
  host: Host,
  path: string,
  format: keyof typeof PARSERS,
  prepare = (text: string) => text,
): { readonly table: Table; readonly problem: string | undefined } {
  try {
    const parsed = PARSERS[format](prepare(readIfThere(host, path) ?? ""));
    return { table: tableOf(parsed), problem: undefined };
  } catch (error) {
    return { table: {}, problem: `${path} is not ${format} that wasp can read: ${(error as Error).message}` };
  }
}
