/** Returns the texts that apply, each given as `condition && text`. */
export function applicable(...texts: readonly (string | false | undefined)[]): readonly string[] {
  return texts.filter((text) => typeof text === "string");
}
