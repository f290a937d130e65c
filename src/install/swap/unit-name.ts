const encoder = new TextEncoder();

/**
 * The name of the unit of a path, as `systemd-escape --path --suffix=SUFFIX` gives it; undefined for a path that has no
 * such name: one that is not absolute, that goes up, or that is too long for a unit.
 */
export function unitNameOf(path: string, suffix: "swap" | "device"): string | undefined {
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  if (!path.startsWith("/") || steps.includes("..")) return undefined;
  const name = `${escapeBytes(steps.join("/")) || "-"}.${suffix}`;
  return name.length <= MAX_UNIT_NAME_CHARACTERS ? name : undefined;
}

const MAX_UNIT_NAME_CHARACTERS = 255;

function escapeBytes(text: string): string {
  return [...encoder.encode(text)].map(escapeByte).join("");
}

function escapeByte(byte: number, index: number): string {
  const character = String.fromCharCode(byte);
  if (character === "/") return "-";
  const isPlain = /[A-Za-z0-9:_.]/.test(character) && !(index === 0 && character === ".");
  return isPlain ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
}
