import {
  closeSync,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename } from "node:path";
import { folderOf } from "./locate.ts";

/** What a file is to hold: a text, or what another file holds. */
export type Content = { readonly text: string } | { readonly copyOf: string };

/** Whose a file is, and who may do what with it. */
export interface Ownership {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Writes a file at once: whoever opens it, at any time and after a power cut too, finds what was there or all of the new.
 * Its folder has to be there. Throws an error of the system.
 */
export function writeWhole(path: string, content: Content, { mode, uid = 0, gid = 0 }: Ownership): void {
  const unfinished = unfinishedOf(path);
  // One that is left of a run that was cut off.
  rmSync(unfinished, { force: true });
  if ("text" in content) writeFileSync(unfinished, content.text, { flag: "wx", mode: 0o600 });
  else copyFileSync(content.copyOf, unfinished);
  const descriptor = openSync(unfinished, "r+");
  try {
    if (process.getuid?.() === 0) fchownSync(descriptor, uid, gid);
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(unfinished, path);
  syncFolder(folderOf(path));
}

/** Removes a file, and what a run that was cut off may have left of it, for good. */
export function removeWhole(path: string): void {
  rmSync(unfinishedOf(path), { force: true });
  rmSync(path, { force: true });
  syncFolder(folderOf(path));
}

/**
 * The name under which a file is made before it is complete, so that no program takes it for one of the files that it
 * reads: beside crio.conf.d and its like, because CRI-O reads whatever is in there, and would not start by half a file.
 */
export function unfinishedOf(path: string): string {
  const folder = folderOf(path);
  const place =
    folder.endsWith(".conf.d") && isOneDevice(folder, folderOf(folder)) ? folderOf(folder) : folder;
  return `${place === "/" ? "" : place}/.${basename(path)}.wasp-unfinished`;
}

function isOneDevice(a: string, b: string): boolean {
  const device = (path: string) => statSync(path, { throwIfNoEntry: false })?.dev;
  return device(a) !== undefined && device(a) === device(b);
}

/** Writes to the disk which names a folder has. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const CHUNK_BYTES = 1024 * 1024;

/** The SHA-256 of a file's content in hexadecimal digits; throws an error of the system. */
export function digestOf(path: string): string {
  const hasher = new Bun.CryptoHasher("sha256");
  const chunk = new Uint8Array(CHUNK_BYTES);
  const descriptor = openSync(path, "r");
  try {
    for (let length = readSync(descriptor, chunk); length > 0; length = readSync(descriptor, chunk))
      hasher.update(chunk.subarray(0, length));
  } finally {
    closeSync(descriptor);
  }
  return hasher.digest("hex");
}

/** The SHA-256 of a text in hexadecimal digits. */
export function digestOfText(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
