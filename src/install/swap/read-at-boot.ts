import { namesIn } from "../../host/directory.ts";
import { readFileIfThere } from "../../host/file.ts";
import { unescapeOctal } from "../target/octal-escapes.ts";
import { readUnitFiles, unitFolders } from "../target/unit-files.ts";
import { type UnitFile, unitSettings } from "../target/unit-settings.ts";
import { realPath } from "./read-block-stack.ts";
import type { SwapsAtBoot } from "./rules.ts";

/**
 * Reads the swap areas that are turned on at boot: those in fstab, and those of systemd units that a target wants. Throws
 * an error that names a file that cannot be read.
 */
export function readSwapsAtBoot(fsroot: string): SwapsAtBoot {
  const wanted = wantedUnits(fsroot);
  const ofUnits = wanted
    .filter((name) => name.endsWith(".swap"))
    .flatMap((unit) => whatOf(readUnitFiles(fsroot, unit)));
  const ofFstab = (readFileIfThere(`${fsroot}/etc/fstab`) ?? "").split("\n").flatMap(swapOfFstab);
  return {
    paths: [...new Set([...ofUnits, ...ofFstab].map((path) => realPath(fsroot, path)))],
    hasZramService: wanted.some((name) => name === WASP_SERVICE || /zram.*\.service$/.test(name)),
  };
}

// Wasp's service is wanted by a target only for zram; for other swap, the swap unit starts it.
const WASP_SERVICE = "wasp-swap.service";

function wantedUnits(fsroot: string): string[] {
  return unitFolders(fsroot).flatMap((folder) => {
    const ofTargets = namesIn(fsroot + folder).filter((name) => /\.target\.(wants|requires)$/.test(name));
    return ofTargets.flatMap((name) => namesIn(`${fsroot}${folder}/${name}`));
  });
}

function whatOf(files: readonly UnitFile[]): string[] {
  const what = unitSettings(files, "Swap", "What").at(-1)?.value;
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
