/** The flags of another program's command line. */
export interface CommandFlags {
  /** What a flag is set to last; empty for one without a value, undefined for one that is not there. */
  last(...names: readonly string[]): string | undefined;
}

/**
 * Reads the flags of a command line as Go programs do: `--name=value`, `--name value`, `-n value`, with underscores for
 * dashes. What follows a flag that has no value is taken for it unless it begins with a dash.
 */
export function readFlags(argv: readonly string[]): CommandFlags {
  const flags = argv.flatMap((word, index) => {
    const [, name, value] = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) return [];
    const next = argv[index + 1];
    const following = next === undefined || next.startsWith("-") ? "" : next;
    return { name: name.replaceAll("_", "-"), value: value ?? following };
  });
  return { last: (...names) => flags.findLast(({ name }) => names.includes(name))?.value };
}

/** Whether a flag that is yes or no is yes, as Go reads it; undefined where it is not given, or nothing of that. */
export function isTrue(value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  // A flag without a value may be followed by a word that is not its own.
  if (/^(0|f|false)$/i.test(value)) return false;
  return true;
}
