import {
  closeSync,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
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

/** Content of a file: a text, or a copy of another file. */
export type Content = { readonly text: string } | { readonly copyOf: string };

/** Owner and permission bits of a file. */
export interface Ownership {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Writes a file atomically: a reader finds the old content or all of the new, after a power cut too. Its folder has to
 * exist. Throws a system error.
 */
export function writeAtomically(path: string, content: Content, { mode, uid = 0, gid = 0 }: Ownership): void {
  const unfinished = unfinishedOf(path);
  // It may be left over from an interrupted run.
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

/** Removes a file durably, and the unfinished one that an interrupted run may have left. */
export function removeDurably(path: string): void {
  rmSync(unfinishedOf(path), { force: true });
  rmSync(path, { force: true });
  syncFolder(folderOf(path));
}

/**
 * Returns the path at which a file is written before it is complete, where no program reads it: beside crio.conf.d and
 * other such folders, because CRI-O reads all files there and does not start with half a file.
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

/** Writes the entries of a folder to the disk. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const CHUNK_BYTES = 1024 * 1024;

/** Returns the SHA-256 of a file's content in hexadecimal digits; throws a system error. */
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

/** Returns true if two files have the same content: far cheaper than two digests of an executable; throws a system error. */
export function hasSameContent(path: string, other: string): boolean {
  const [descriptor, otherDescriptor] = [openSync(path, "r"), openSync(other, "r")];
  try {
    if (fstatSync(descriptor).size !== fstatSync(otherDescriptor).size) return false;
    const [chunk, otherChunk] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
    for (;;) {
      const read = chunk.subarray(0, readSync(descriptor, chunk));
      if (!read.equals(otherChunk.subarray(0, readSync(otherDescriptor, otherChunk)))) return false;
      if (read.length === 0) return true;
    }
  } finally {
    closeSync(descriptor);
    closeSync(otherDescriptor);
  }
}

/** Returns the SHA-256 of a text in hexadecimal digits. */
export function digestOfText(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
