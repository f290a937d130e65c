/** The name of wasp's drop-ins, wherever settings of a service can be given in files of their own. */
export const DROP_IN = "50-wasp.conf";

/** The same where only files of TOML's own ending are read. */
export const TOML_DROP_IN = "50-wasp.toml";

/** The first line of what wasp writes where a comment can be. */
export const WRITTEN_BY = "# Written by wasp install.";

/** Whether a drop-in of a folder, or of a folder below it, is read after wasp's own and so counts for more. */
export function comesAfterDropIn(folder: string, path: string): boolean {
  const [name = ""] = path.slice(folder.length + 1).split("/");
  return name > DROP_IN;
}
