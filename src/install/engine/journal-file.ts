import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { close, O, open, tryLock } from "../../host/libc.ts";
import { removeDurably, writeAtomically } from "../target/atomic-file.ts";
import type { Host } from "../target/host.ts";
import { locate, statOf } from "../target/locate.ts";
import { EMPTY_JOURNAL, type Journal } from "./journal.ts";

/** Wasp's own folder on a host. */
const STATE_FOLDER = "/var/lib/wasp";

const JOURNAL = `${STATE_FOLDER}/install.json`;

/** Returns the folder with copies of the replaced files, as a path of this process. */
export function copiesOf({ fsroot }: Host): string {
  return locate(fsroot, `${STATE_FOLDER}/before`);
}

/** Reads a host's journal; throws an error that names the file if this version of wasp cannot read it. */
export function readJournal({ fsroot }: Host): Journal {
  const path = locate(fsroot, JOURNAL);
  if (statOf(path) === undefined) return EMPTY_JOURNAL;
  const text = readFileSync(path, "utf8");
  const journal = parse(text);
  if (journal !== undefined) return journal;
  throw new Error(
    `${path} is not a journal that this version of wasp can read: use the version that wrote it, or move it away and undo its entries by hand`,
  );
}

function parse(text: string): Journal | undefined {
  try {
    const journal = JSON.parse(text) as Partial<Journal> | null;
    const isJournal = journal?.version === 1 && Array.isArray(journal.made) && Array.isArray(journal.owed);
    return isJournal ? (journal as Journal) : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces a host's journal atomically. */
export function writeJournal({ fsroot }: Host, journal: Journal): void {
  mkdirSync(locate(fsroot, STATE_FOLDER), { recursive: true, mode: 0o755 });
  writeAtomically(
    locate(fsroot, JOURNAL),
    { text: `${JSON.stringify(journal, null, 2)}\n` },
    { mode: 0o600 },
  );
}

/** Removes the journal of a host that has nothing left to undo, and wasp's folder if it is empty. */
export function removeJournal(host: Host): void {
  const folder = locate(host.fsroot, STATE_FOLDER);
  if (statOf(folder) === undefined) return;
  rmSync(copiesOf(host), { recursive: true, force: true });
  removeDurably(locate(host.fsroot, JOURNAL));
  if (readdirSync(folder).length === 0) removeUnlessMounted(folder);
}

// A container that has the folder as a mount point cannot remove it.
function removeUnlessMounted(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!["EBUSY", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/**
 * Takes the exclusive lock for changing a host and holds it until disposed; throws if another process holds it. The lock
 * is on the root folder of the host, so that no lock file is left behind.
 */
export function lockHost({ fsroot }: Host): Disposable {
  const root = fsroot || "/";
  const descriptor = open(root, O.RDONLY);
  if (tryLock(descriptor, root)) return { [Symbol.dispose]: () => close(descriptor) };
  close(descriptor);
  throw new Error(
    `another wasp install or wasp uninstall holds the lock on ${root}: wait until it has finished`,
  );
}
