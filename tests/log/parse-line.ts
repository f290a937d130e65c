/** Reads a logfmt line back as a strict reader does: the event, then the values by their keys; throws on anything else. */
export function parseLine(line: string): { event: string; values: Record<string, string> } {
  const [event = ""] = /^[a-z-]+/.exec(line) ?? [];
  const values: Record<string, string> = {};
  const field = / ([a-z]+)=(?:("(?:[^"\\]|\\.)*")|([!#-<>-[\]-~]+))/y;
  field.lastIndex = event.length;
  while (field.lastIndex < line.length) {
    const at = field.lastIndex;
    const [, key = "", quoted, plain] = field.exec(line) ?? [];
    if (key === "" || key in values) throw new Error(`no field at ${at}: ${line}`);
    values[key] = quoted === undefined ? (plain ?? "") : JSON.parse(quoted);
  }
  return { event, values };
}
