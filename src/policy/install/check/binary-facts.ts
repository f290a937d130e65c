/** A file or a folder, and who may change it. */
export interface OwnedPath {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** The permission bits, as chmod(2) takes them. */
  readonly mode: number;
}

/** The executable that the hook runs. */
export interface BinaryFacts {
  readonly path: string;
  /** It and all folders above it, from the root on; empty where it is not there. */
  readonly owned: readonly OwnedPath[];
  /** What it says of its version, or why it does not run; undefined where it was not run. */
  readonly run: { readonly version: string } | { readonly failure: string } | undefined;
}

const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;

/** Tells those who are not root and could change the executable: one sentence each. */
export function dangersOf(owned: readonly OwnedPath[]): string[] {
  return owned.flatMap(({ path, uid, gid, mode }) => {
    if (uid !== 0) return `${path} is owned by user ${uid}`;
    if ((mode & OTHERS_WRITE) !== 0) return `${path} is writable by everybody`;
    return gid !== 0 && (mode & GROUP_WRITES) !== 0 ? `${path} is writable by group ${gid}` : [];
  });
}
