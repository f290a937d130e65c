/** A file or a folder, and who may change it. */
export interface OwnedPath {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** The permission bits, as chmod(2) takes them. */
  readonly mode: number;
}

const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;

/** Tells those who are not root and could change what is at the last of these paths: one sentence each. */
export function dangersOf(owned: readonly OwnedPath[]): string[] {
  return owned.flatMap(({ path, uid, gid, mode }) => {
    if (uid !== 0) return `${path} is owned by user ${uid}`;
    if ((mode & OTHERS_WRITE) !== 0) return `${path} is writable by everybody`;
    return gid !== 0 && (mode & GROUP_WRITES) !== 0 ? `${path} is writable by group ${gid}` : [];
  });
}
