/** Flags that are meant for this host and not for those it is run on, by name and without dashes. */
export interface LocalFlags {
  /** Those with a value. */
  readonly valued: readonly string[];
  readonly switches: readonly string[];
}

/** Takes flags out of a command line that has been read without fault: what is left is what the hosts are told. */
export function withoutFlags(argv: readonly string[], { valued, switches }: LocalFlags): string[] {
  const kept: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    const name = word.startsWith("--") ? word.slice(2).replace(/=.*/s, "") : "";
    if (valued.includes(name)) index += word.includes("=") ? 0 : 1;
    else if (!switches.includes(name)) kept.push(word);
  }
  return kept;
}
