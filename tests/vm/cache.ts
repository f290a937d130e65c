/** Folders that are expensive to make: made once, under a lock, and kept outside of the tree. */
import { exists, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const DRAFT_PREFIX = "build-";
const LOCK = "lock";
const KEPT_MILLISECONDS = 3_600_000;

/** Returns the folder for everything that outlives a test run. */
export function cacheFolder(): string {
  const { WASP_CACHE, XDG_CACHE_HOME } = process.env;
  return WASP_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "wasp");
}

/** Returns a cache key of everything that a cached folder depends on. */
export function cacheKey(dependencies: unknown): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(dependencies)).digest("hex");
}

/** A folder that is made once. */
export interface CachedFolder {
  /** Folder that it is made in, beside others. */
  readonly parent: string;
  readonly name: string;
  /** Fills the draft, which becomes the folder once it is complete. */
  readonly make: (draft: string) => Promise<void>;
}

/** Returns the path of a cached folder; makes it first if it does not exist. */
export async function cached({ parent, name, make }: CachedFolder): Promise<string> {
  const folder = join(parent, name);
  if (await isThere(folder)) return folder;
  await mkdir(parent, { recursive: true });
  await using _lock = await lock(join(parent, LOCK));
  if (await isThere(folder)) return folder;
  await removeDisused(parent);
  const draft = await mkdtemp(join(parent, DRAFT_PREFIX));
  try {
    await make(draft);
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

/** Returns true if a cached folder exists, and notes that it is in use. */
async function isThere(folder: string): Promise<boolean> {
  if (!(await exists(folder))) return false;
  await utimes(folder, new Date(), new Date());
  return true;
}

/** Removes drafts of processes that were killed, and folders that nothing has used for an hour, as by other builds. */
async function removeDisused(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const isDisused = Date.now() - (await stat(path)).mtimeMs > KEPT_MILLISECONDS;
    // Only the process with the lock has a draft.
    if (name !== LOCK && (isDisused || name.startsWith(DRAFT_PREFIX)))
      await rm(path, { recursive: true, force: true });
  }
}

/** Takes an exclusive lock on a file; disposal releases it, and so does the kernel when this process ends. */
async function lock(path: string): Promise<AsyncDisposable> {
  // The shell holds the lock until its standard input ends, also by this process's death.
  const holder = Bun.spawn(["flock", path, "sh", "-c", "echo locked; exec cat"], {
    stdin: "pipe",
    stdout: "pipe",
  });
  const { done } = await holder.stdout.getReader().read();
  if (done) throw new Error(`cannot lock ${path}`);
  return {
    async [Symbol.asyncDispose]() {
      await holder.stdin.end();
      await holder.exited;
    },
  };
}
