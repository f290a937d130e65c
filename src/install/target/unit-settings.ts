/** A file of a systemd unit: the main file, or a drop-in. */
export interface UnitFile {
  readonly path: string;
  readonly text: string;
}

/** One setting in a unit's files. */
export interface UnitSetting {
  readonly value: string;
  /** The file that it is in. */
  readonly path: string;
}

/**
 * Returns the values of a key in the files of a unit, in the order of the files; an empty value resets the list. For a
 * key that has one value, the last one counts.
 */
export function unitSettings(files: readonly UnitFile[], section: string, key: string): UnitSetting[] {
  const all = files.flatMap(({ path, text }) =>
    valuesIn(text, section, key).map((value) => ({ path, value })),
  );
  return all.slice(all.findLastIndex(({ value }) => value === "") + 1);
}

/** Returns true if a file survives a restart of the node. */
export function isLasting(path: string): boolean {
  return !path.startsWith("/run/");
}

function valuesIn(text: string, section: string, key: string): string[] {
  const values: string[] = [];
  let current = "";
  for (const line of text
    .replace(/\\\n/g, " ")
    .split("\n")
    .map((part) => part.trim())) {
    const [, header] = /^\[(.+)\]$/.exec(line) ?? [];
    if (header !== undefined) current = header;
    const [, name, value = ""] = /^([^=#;\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (current === section && name === key) values.push(value);
  }
  return values;
}
