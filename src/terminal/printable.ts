// Controls, and what hides or turns around the text beside it; tabs are let through.
const UNPRINTABLE = /[^\t\P{C}]|[\p{Zl}\p{Zp}]/gu;

/** Escapes control and format characters of a line from an untrusted source, so that no terminal obeys it: `\u{1b}`. */
export function printable(line: string): string {
  return line.replace(UNPRINTABLE, (character) => `\\u{${codeOf(character)}}`);
}

/** Escapes each line of a text as `printable` does, and keeps its newlines. */
export function printableText(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** Escapes JSON text in JSON's own escapes, so that no terminal obeys it and its meaning stays the same. */
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
