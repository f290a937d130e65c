import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { close, O, open, tryLock } from "../../host/libc.ts";
import { removeDurably, writeAtomically } from "../target/atomic-file.ts";
import type { Host } from "../target/host.ts";
import { locate, statOf } from "../target/locate.ts";
import { EMPTY_JOURNAL, type Journal } from "./journal.ts";

/** The folder of a host that is wasp's own. */
const STATE_FOLDER = "/var/lib/wasp";

const JOURNAL = `${STATE_FOLDER}/install.json`;

/** The folder where copies of what wasp replaced are kept, seen from here. */
export function copiesOf({ fsroot }: Host): string {
  return locate(fsroot, `${STATE_FOLDER}/before`);
}

/** Reads what wasp did to a host; throws an error that names the file when it is not one of wasp's. */
export function readJournal({ fsroot }: Host): Journal {
  const path = locate(fsroot, JOURNAL);
  if (statOf(path) === undefined) return EMPTY_JOURNAL;
  const text = readFileSync(path, "utf8");
  const journal = parse(text);
  if (journal !== undefined) return journal;
  throw new Error(
    `${path} is not a journal of this wasp, which has to know what it made: use the wasp that wrote it, or move it away and remove by hand what is in it`,
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

/** Writes what wasp did to a host, at once. */
export function writeJournal({ fsroot }: Host, journal: Journal): void {
  mkdirSync(locate(fsroot, STATE_FOLDER), { recursive: true, mode: 0o755 });
  writeAtomically(
    locate(fsroot, JOURNAL),
    { text: `${JSON.stringify(journal, null, 2)}\n` },
    { mode: 0o600 },
  );
}

/** Removes the journal of a host where nothing is left to undo, and wasp's folder unless somebody else uses it. */
export function removeJournal(host: Host): void {
  const folder = locate(host.fsroot, STATE_FOLDER);
  if (statOf(folder) === undefined) return;
  rmSync(copiesOf(host), { recursive: true, force: true });
  removeDurably(locate(host.fsroot, JOURNAL));
  if (readdirSync(folder).length === 0) removeUnlessMounted(folder);
}

// Mounted by itself into a container, it is not the container's to remove.
function removeUnlessMounted(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!["EBUSY", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/**
 * Takes the lock that one installation of a host may hold, and keeps it until disposed of; throws when another holds it.
 * It is on the host's root: nothing has to be made for it, nor is left of it.
 */
export function lockHost({ fsroot }: Host): Disposable {
  const root = fsroot || "/";
  const descriptor = open(root, O.RDONLY);
  if (tryLock(descriptor, root)) return { [Symbol.dispose]: () => close(descriptor) };
  close(descriptor);
  throw new Error(`another wasp install or wasp uninstall has the lock of ${root}: wait until it is done`);
}
