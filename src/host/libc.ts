import { CString, dlopen, type Pointer, ptr, read as readMemory } from "bun:ffi";

// node:fs would double the hook's run time: loading it takes as long as everything else in the hook.
const LIBC = "libc.so.6";
// Bound by the first call, not when this file is loaded: a host without a JIT refuses it, where the hook catches the error.
const bindCalls = () =>
  dlopen(LIBC, {
    open: { args: ["ptr", "i32", "i32"], returns: "i32" },
    // Counts stay far below 2^31, so ssize_t is declared as i32: an i64 would be returned as a BigInt.
    read: { args: ["i32", "ptr", "u64"], returns: "i32" },
    write: { args: ["i32", "ptr", "u64"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
    poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  }).symbols;

let bound: ReturnType<typeof bindCalls> | undefined;

/** Flags of open(2) on Linux, for x86-64 and arm64. */
export const O = {
  RDONLY: 0,
  WRONLY: 0o1,
  CREAT: 0o100,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  NOFOLLOW: process.arch === "arm64" ? 0o100000 : 0o400000,
  CLOEXEC: 0o2000000,
} as const;

const encoder = new TextEncoder();

const ENOENT = 2;
const EINTR = 4;
const EWOULDBLOCK = 11;
const ENODEV = 19;
const ENODATA = 61;
const EOPNOTSUPP = 95;
/** Errors for a missing attribute, a missing file, and a file system without attributes. */
const NO_ATTRIBUTE = new Set([ENOENT, ENODEV, ENODATA, EOPNOTSUPP]);
const POLLIN = 1;
const MADV_DONTNEED = 4;
const LOCK_EXCLUSIVE = 2;
const LOCK_NONBLOCKING = 4;

/** Failed system call; the message has the call, its subject and the kernel's reason. */
export class SystemError extends Error {
  readonly errno: number;

  constructor(call: string, subject: string, errno: number) {
    super(`${call} ${subject}: ${describe(errno)}`);
    this.errno = errno;
  }

  /** True if the file does not exist, or no longer: ENODEV is the error of the files of a removed cgroup. */
  get isMissing(): boolean {
    return this.errno === ENOENT || this.errno === ENODEV;
  }
}

// Each call below checks its own result: one function for all would get hot enough for the JIT, and the hook would pay
// for a compiler thread in its last millisecond.

/** Opens a file and returns its descriptor; throws a SystemError. A new file gets mode 0640, less the umask. */
export function open(path: string, flags: number): number {
  if (path.includes("\0")) throw new Error(`open ${JSON.stringify(path)}: a path holds no NUL`);
  bound ??= bindCalls();
  const descriptor = bound.open(ptr(encoder.encode(`${path}\0`)), flags | O.CLOEXEC, 0o640);
  if (descriptor < 0) throw new SystemError("open", path, errno());
  return descriptor;
}

/** Reads available bytes into the buffer and returns their number, 0 at the end; throws a SystemError. */
export function read(descriptor: number, buffer: Uint8Array, subject: string): number {
  bound ??= bindCalls();
  const length = bound.read(descriptor, ptr(buffer), buffer.length);
  if (length < 0) throw new SystemError("read", subject, errno());
  return length;
}

/** Writes a text in one call, as cgroup files and logs require; throws a SystemError. */
export function write(descriptor: number, text: string, subject: string): void {
  const bytes = encoder.encode(text);
  bound ??= bindCalls();
  if (bound.write(descriptor, ptr(bytes), bytes.length) < 0) throw new SystemError("write", subject, errno());
}

/** Closes a descriptor. */
export function close(descriptor: number): void {
  bound ??= bindCalls();
  bound.close(descriptor);
}

/**
 * Waits until a read of the descriptor would not block; returns false at the deadline, in milliseconds of
 * performance.now().
 */
export function waitReadable(descriptor: number, deadlineMilliseconds: number): boolean {
  // struct pollfd as two words: the descriptor, then the requested events below the returned ones (little-endian).
  const pollfd = new Int32Array([descriptor, POLLIN]);
  bound ??= bindCalls();
  const ready = bound.poll(ptr(pollfd), 1, Math.max(0, deadlineMilliseconds - performance.now()));
  if (ready >= 0) return ready > 0;
  if (errno() === EINTR) return waitReadable(descriptor, deadlineMilliseconds);
  throw new SystemError("poll", `descriptor ${descriptor}`, errno());
}

/** Returns true if a descriptor is a terminal. */
export function isTerminal(descriptor: number): boolean {
  const { symbols } = dlopen(LIBC, { isatty: { args: ["i32"], returns: "i32" } });
  return symbols.isatty(descriptor) === 1;
}

/** Returns the kernel's page size in bytes: 4 KiB on most nodes, up to 64 KiB on arm64. */
export function readPageBytes(): number {
  const { symbols } = dlopen(LIBC, { getpagesize: { args: [], returns: "i32" } });
  return symbols.getpagesize();
}

/** Locks a file or directory for this descriptor (flock(2)); returns false if another process holds the lock. */
export function tryLock(descriptor: number, subject: string): boolean {
  const { symbols } = dlopen(LIBC, { flock: { args: ["i32", "i32"], returns: "i32" } });
  if (symbols.flock(descriptor, LOCK_EXCLUSIVE | LOCK_NONBLOCKING) === 0) return true;
  if (errno() === EWOULDBLOCK) return false;
  throw new SystemError("flock", subject, errno());
}

/** Makes a directory the root of this process and its children (chroot(2)); throws a SystemError. */
export function changeRoot(path: string): void {
  const { symbols } = dlopen(LIBC, { chroot: { args: ["ptr"], returns: "i32" } });
  if (symbols.chroot(cString(path)) !== 0) throw new SystemError("chroot", path, errno());
  process.chdir("/");
}

/** Releases the pages of a mapping (madvise(2), MADV_DONTNEED); throws a SystemError. */
export function forgetPages(address: number, bytes: number): void {
  const { symbols } = dlopen(LIBC, { madvise: { args: ["u64", "u64", "i32"], returns: "i32" } });
  if (symbols.madvise(address, bytes, MADV_DONTNEED) !== 0)
    throw new SystemError("madvise", address.toString(16), errno());
}

const MAX_ATTRIBUTE_BYTES = 256;

/** Reads an extended attribute of a file or directory as text; undefined if it is missing. Throws a SystemError. */
export function readAttribute(path: string, name: string): string | undefined {
  const value = new Uint8Array(MAX_ATTRIBUTE_BYTES);
  const length = getxattrCall().getxattr(cString(path), cString(name), value, value.length);
  if (length >= 0) return new TextDecoder().decode(value.subarray(0, length));
  if (NO_ATTRIBUTE.has(errno())) return undefined;
  throw new SystemError("getxattr", path, errno());
}

/** Sets an extended attribute of a file or directory; throws a SystemError, also where the file system has none. */
export function writeAttribute(path: string, name: string, text: string): void {
  const value = encoder.encode(text);
  if (attributeCalls().setxattr(cString(path), cString(name), value, value.length, 0) === 0) return;
  throw new SystemError("setxattr", path, errno());
}

/** Removes an extended attribute of a file or directory, if it exists; throws a SystemError. */
export function removeAttribute(path: string, name: string): void {
  if (attributeCalls().removexattr(cString(path), cString(name)) === 0 || NO_ATTRIBUTE.has(errno())) return;
  throw new SystemError("removexattr", path, errno());
}

const bindGetxattr = () =>
  dlopen(LIBC, { getxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i32" } }).symbols;

let boundGetxattr: ReturnType<typeof bindGetxattr> | undefined;

// Apart from the calls that write, which the hook does not need: each bound function costs it time.
function getxattrCall(): ReturnType<typeof bindGetxattr> {
  boundGetxattr ??= bindGetxattr();
  return boundGetxattr;
}

const bindAttributeCalls = () =>
  dlopen(LIBC, {
    setxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
    removexattr: { args: ["ptr", "ptr"], returns: "i32" },
  }).symbols;

let boundAttributeCalls: ReturnType<typeof bindAttributeCalls> | undefined;

// Bound once and not with the others: the hook does not need them.
function attributeCalls(): ReturnType<typeof bindAttributeCalls> {
  boundAttributeCalls ??= bindAttributeCalls();
  return boundAttributeCalls;
}

// Passed as an object: with its address alone, the garbage collector could free it before the call.
function cString(text: string): Uint8Array {
  if (text.includes("\0")) throw new Error(`${JSON.stringify(text)} holds a NUL`);
  return encoder.encode(`${text}\0`);
}

const bindStrerror = () => dlopen(LIBC, { strerror: { args: ["i32"], returns: "ptr" } }).symbols;

let boundStrerror: ReturnType<typeof bindStrerror> | undefined;

// Bound for an error only, as isatty is on demand: each bound function costs startup time of the hook. Bound once: on a
// kernel without pressure figures, each container's file is missing each second.
function describe(errno: number): string {
  boundStrerror ??= bindStrerror();
  return String(new CString(boundStrerror.strerror(errno) as Pointer));
}

function errno(): number {
  bound ??= bindCalls();
  return readMemory.i32(bound.__errno_location() as Pointer, 0);
}
