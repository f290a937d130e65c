import { namesIn } from "../../host/directory.ts";
import { readFile, readFileIfThere } from "../../host/file.ts";
import type { UnitFile } from "./unit-settings.ts";

// In rising precedence (systemd.unit(5)).
const FOLDERS = [
  "/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/usr/local/lib/systemd/system",
  "/run/systemd/generator.late",
  "/run/systemd/generator",
  "/run/systemd/system",
  "/etc/systemd/system",
  "/run/systemd/system.control",
  "/etc/systemd/system.control",
];

/** Returns the folders of units below fsroot that hold anything, in rising precedence. */
export function unitFolders(fsroot: string): string[] {
  return FOLDERS.filter((folder) => namesIn(fsroot + folder).length > 0);
}

/**
 * Reads the files of a unit in the order in which systemd reads them: the main file, then the drop-ins by name. Of several
 * drop-ins with one name it has the one with the highest precedence. Throws an error that names the file that cannot be read.
 */
export function readUnitFiles(fsroot: string, unit: string): UnitFile[] {
  const main = FOLDERS.map((folder) => `${folder}/${unit}`)
    .map((path) => ({ path, text: readFileIfThere(fsroot + path) }))
    .findLast(({ text }) => text !== undefined);
  const dropIns = new Map<string, string>();
  for (const place of dropInFolders(unit))
    for (const name of namesIn(fsroot + place))
      if (name.endsWith(".conf")) dropIns.set(name, `${place}/${name}`);
  const inOrder = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...(main?.text === undefined ? [] : [{ path: main.path, text: main.text }]),
    ...inOrder.map(([, path]) => ({ path, text: readFile(fsroot + path) })),
  ];
}

// For all units of the type, then for all units with the same prefix (a-.slice.d, a-b-.slice.d), then for this unit.
function dropInFolders(unit: string): string[] {
  const kind = unit.slice(unit.lastIndexOf(".") + 1);
  const words = unit.slice(0, unit.lastIndexOf(".")).split("-");
  const prefixes = words.slice(1).map((_, index) => `${words.slice(0, index + 1).join("-")}-.${kind}`);
  return [kind, ...prefixes, unit].flatMap((name) => FOLDERS.map((folder) => `${folder}/${name}.d`));
}
