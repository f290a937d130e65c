/**
 * Returns the unit name of a path, like `systemd-escape --path --suffix=SUFFIX`; undefined for a path that is not
 * absolute, contains `..`, or is too long for a unit name.
 */
export function unitNameOf(path: string, suffix: "swap" | "device"): string | undefined {
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  if (!path.startsWith("/") || steps.includes("..")) return undefined;
  const name = `${[...Buffer.from(steps.join("/"))].map(escapeByte).join("") || "-"}.${suffix}`;
  return name.length <= MAX_UNIT_NAME_CHARACTERS ? name : undefined;
}

const MAX_UNIT_NAME_CHARACTERS = 255;

function escapeByte(byte: number, index: number): string {
  const character = String.fromCharCode(byte);
  if (character === "/") return "-";
  const isPlain = /[A-Za-z0-9:_.]/.test(character) && !(index === 0 && character === ".");
  return isPlain ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
}
