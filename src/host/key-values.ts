/**
 * Finds figures in a file of lines `name figure`, as memory.stat and /proc/vmstat are; 0 for one that is not there,
 * because older kernels count less.
 */
export function valueOfKey(text: string, name: string): number {
  // Looked for as text: a thousand such files are read in a second where a node has many containers.
  const line = `\n${name} `;
  const at = text.startsWith(line.slice(1)) ? 0 : text.indexOf(line) + 1;
  if (at === 0 && !text.startsWith(line.slice(1))) return 0;
  return Number.parseInt(text.slice(at + name.length + 1, at + name.length + 24), 10) || 0;
}
