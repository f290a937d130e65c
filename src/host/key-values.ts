const LONGEST_VALUE = 24;

/**
 * Finds a value in a file of lines `name value`, such as memory.stat and /proc/vmstat; 0 if it is missing, because
 * older kernels have fewer.
 */
export function valueOfKey(text: string, name: string): number {
  // A plain text search: on a node with many containers, a thousand such files are read each second.
  const line = `\n${name} `;
  const at = text.startsWith(line.slice(1)) ? 0 : text.indexOf(line) + 1;
  if (at === 0 && !text.startsWith(line.slice(1))) return 0;
  return parseValue(text, at + name.length + 1);
}

/** Parses the value that begins at a position of such a file; 0 if there is none. */
export function parseValue(text: string, at: number): number {
  return Number.parseInt(text.slice(at, at + LONGEST_VALUE), 10) || 0;
}
