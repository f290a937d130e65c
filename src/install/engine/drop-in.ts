/** Name of wasp's drop-in file in every drop-in folder. */
export const DROP_IN = "50-wasp.conf";

/** Name of the drop-in where only *.toml files are read. */
export const TOML_DROP_IN = "50-wasp.toml";

/** First line of every file of wasp whose format has comments. */
export const WRITTEN_BY = "# Written by wasp install.";

/** Returns true if a drop-in below a folder is read after wasp's own, and so overrides it. */
export function comesAfterDropIn(folder: string, path: string): boolean {
  const [name = ""] = path.slice(folder.length + 1).split("/");
  return name > DROP_IN;
}
