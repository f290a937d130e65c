/**
 * Returns the flag of a knob without its dashes: `swap-behavior` for `swapBehavior`. A list's flag is the singular, given
 * once per value. The flag of a knob in bytes takes a quantity, so its name has no unit.
 */
export function flagName(knob: string): string {
  const kebab = fieldName(knob).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return kebab.replace(/namespaces$/, "namespace");
}

/** Returns the configuration file's field of a knob; that of a knob in bytes takes a quantity, so it names no unit. */
export function fieldName(knob: string): string {
  return knob.replace(/Bytes$/, "");
}
