/**
 * Finds a value in a file of lines `name value`, such as memory.stat and /proc/vmstat; 0 if it is missing, because
 * older kernels have fewer.
 */
export function valueOfKey(text: string, name: string): number {
  // A plain text search: on a node with many containers, a thousand such files are read each second.
  const line = `\n${name} `;
  const at = text.startsWith(line.slice(1)) ? 0 : text.indexOf(line) + 1;
  if (at === 0 && !text.startsWith(line.slice(1))) return 0;
  return Number.parseInt(text.slice(at + name.length + 1, at + name.length + 24), 10) || 0;
}
