/** Spells a line of a host that need not be trusted so that no terminal obeys it: what steers one becomes `\u{1b}`. */
export function printable(line: string): string {
  // Tabs stay. The rest of the class: controls, and what hides or turns around the text beside it.
  return line.replace(/[^\t\P{C}]|[\p{Zl}\p{Zp}]/gu, (character) => `\\u{${codeOf(character)}}`);
}

/** Spells JSON so that no terminal obeys it, in JSON's own escapes: it means the same as before. */
export function printableJson(json: string): string {
  const escaped = (character: string) =>
    // By UTF-16 units, as JSON has it.
    character
      .split("")
      .map((unit) => `\\u${codeOf(unit).padStart(4, "0")}`)
      .join("");
  return json.replace(/[^\n\P{C}]|[\p{Zl}\p{Zp}]/gu, escaped);
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16);
}
