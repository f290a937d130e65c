import { unescapeOctal } from "../../../policy/install/check/swap-areas.ts";
import { settingsOf, type UnitFile } from "../../../policy/install/check/unit-settings.ts";
import { readFileIfThere } from "../../file.ts";
import { realPath } from "./block-stack.ts";
import { namesIn, readUnitFiles, unitFolders } from "./unit-files.ts";

/**
 * Reads which swap areas are turned on when the node starts, by the paths that /proc/swaps gives them: those of fstab and
 * of units. Throws an error that names the file that cannot be read.
 */
export function readSwapsAtBoot(fsroot: string): string[] {
  const ofUnits = unitsIn(fsroot).flatMap((unit) => whatOf(readUnitFiles(fsroot, unit)));
  const ofFstab = (readFileIfThere(`${fsroot}/etc/fstab`) ?? "").split("\n").flatMap(swapOfFstab);
  return [...new Set([...ofUnits, ...ofFstab].map((path) => realPath(fsroot, path)))];
}

function unitsIn(fsroot: string): string[] {
  const names = unitFolders(fsroot).flatMap((folder) => namesIn(fsroot + folder));
  return [...new Set(names.filter((name) => name.endsWith(".swap")))];
}

function whatOf(files: readonly UnitFile[]): string[] {
  const what = settingsOf(files, "Swap", "What").at(-1)?.value;
  return what === undefined ? [] : [what];
}

const LINKS: Readonly<Record<string, string>> = {
  UUID: "/dev/disk/by-uuid",
  LABEL: "/dev/disk/by-label",
  PARTUUID: "/dev/disk/by-partuuid",
  PARTLABEL: "/dev/disk/by-partlabel",
};

function swapOfFstab(line: string): string[] {
  const [what = "", , type, options = ""] = line.trim().split(/\s+/);
  if (what.startsWith("#") || type !== "swap" || options.split(",").includes("noauto")) return [];
  const [, kind = "", name = ""] = /^(\w+)="?([^"]*)"?$/.exec(what) ?? [];
  const folder = LINKS[kind];
  return [folder === undefined ? unescapeOctal(what) : `${folder}/${name}`];
}
