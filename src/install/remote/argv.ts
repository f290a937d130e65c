/** Names, without dashes, of flags that apply to this host and are not passed to remote hosts. */
export interface LocalFlags {
  /** Flags with a value. */
  readonly valued: readonly string[];
  readonly switches: readonly string[];
}

/** Returns a valid command line without the given flags: the arguments for the remote hosts. */
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
