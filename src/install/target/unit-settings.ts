/** A file of a systemd unit: its main one, or a drop-in. */
export interface UnitFile {
  readonly path: string;
  readonly text: string;
}

/** One line of a unit's files. */
export interface UnitSetting {
  readonly value: string;
  /** The file that it is in. */
  readonly path: string;
}

/**
 * What the files of a unit set a key to, in the order in which they are given; an empty value takes back what came
 * before it. Of a key that has one value the last counts.
 */
export function settingsOf(files: readonly UnitFile[], section: string, key: string): UnitSetting[] {
  const all = files.flatMap(({ path, text }) =>
    valuesIn(text, section, key).map((value) => ({ path, value })),
  );
  return all.slice(all.findLastIndex(({ value }) => value === "") + 1);
}

/** Whether a file is still there after a restart of the node. */
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
