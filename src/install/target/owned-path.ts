/** A file or a folder, with its owner and its permissions. */
export interface OwnedPath {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, as chmod(2) takes them. */
  readonly mode: number;
}

const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;

/** Returns a sentence for each of these paths by which a user other than root could replace the last one. */
export function dangersOf(owned: readonly OwnedPath[]): string[] {
  return owned.flatMap(({ path, uid, gid, mode }) => {
    if (uid !== 0) return `${path} is owned by user ${uid}`;
    if ((mode & OTHERS_WRITE) !== 0) return `${path} is writable by everybody`;
    return gid !== 0 && (mode & GROUP_WRITES) !== 0 ? `${path} is writable by group ${gid}` : [];
  });
}
