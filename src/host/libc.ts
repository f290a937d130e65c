import { CString, dlopen, type Pointer, ptr, read as readMemory } from "bun:ffi";

// node:fs would double the hook's time: loading it costs as much as everything else that the hook does together.
const LIBC = "libc.so.6";
const { symbols: c } = dlopen(LIBC, {
  open: { args: ["ptr", "i32", "i32"], returns: "i32" },
  // Counts stay far below 2^31, so ssize_t is taken as an i32: an i64 would come back as a BigInt.
  read: { args: ["i32", "ptr", "u64"], returns: "i32" },
  write: { args: ["i32", "ptr", "u64"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
});

/** Flags of open(2), as Linux numbers them on x86-64 and on arm64. */
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
/** There is no such attribute, no such file, or the file system keeps none. */
const NO_ATTRIBUTE = new Set([ENOENT, ENODEV, ENODATA, EOPNOTSUPP]);
const POLLIN = 1;
const MADV_DONTNEED = 4;
const LOCK_EXCLUSIVE = 2;
const LOCK_NONBLOCKING = 4;

/** A system call that failed; the message names the call, what it was called on and the kernel's reason. */
export class SystemError extends Error {
  readonly errno: number;

  constructor(call: string, subject: string, errno: number) {
    super(`${call} ${subject}: ${describe(errno)}`);
    this.errno = errno;
  }

  /** Nothing is there by that name, or no longer: ENODEV is what the files of a removed cgroup give. */
  get isMissing(): boolean {
    return this.errno === ENOENT || this.errno === ENODEV;
  }
}

// Each of the calls below looks at its own result: going through one function for all would make that one hot enough
// for the JIT, and the hook would pay for a compiler's thread in its last millisecond.

/** Opens a file and returns its descriptor; throws a SystemError. A new file gets the mode 0640 less the umask. */
export function open(path: string, flags: number): number {
  if (path.includes("\0")) throw new Error(`open ${JSON.stringify(path)}: a path holds no NUL`);
  const descriptor = c.open(ptr(encoder.encode(`${path}\0`)), flags | O.CLOEXEC, 0o640);
  if (descriptor < 0) throw new SystemError("open", path, errno());
  return descriptor;
}

/** Reads what is there into the buffer and returns the number of bytes, 0 at the end; throws a SystemError. */
export function read(descriptor: number, buffer: Uint8Array, subject: string): number {
  const length = c.read(descriptor, ptr(buffer), buffer.length);
  if (length < 0) throw new SystemError("read", subject, errno());
  return length;
}

/** Writes a text in one call, as cgroup files and logs need it; throws a SystemError. */
export function write(descriptor: number, text: string, subject: string): void {
  const bytes = encoder.encode(text);
  if (c.write(descriptor, ptr(bytes), bytes.length) < 0) throw new SystemError("write", subject, errno());
}

/** Closes a descriptor. */
export function close(descriptor: number): void {
  c.close(descriptor);
}

/**
 * Waits until a read of the descriptor would not block, and tells whether that came before the deadline, in
 * milliseconds of performance.now().
 */
export function waitReadable(descriptor: number, deadlineMilliseconds: number): boolean {
  // struct pollfd as two words: the descriptor, then the events asked for below those that came (little-endian).
  const pollfd = new Int32Array([descriptor, POLLIN]);
  const ready = c.poll(ptr(pollfd), 1, Math.max(0, deadlineMilliseconds - performance.now()));
  if (ready >= 0) return ready > 0;
  if (errno() === EINTR) return waitReadable(descriptor, deadlineMilliseconds);
  throw new SystemError("poll", `descriptor ${descriptor}`, errno());
}

/** Tells whether a descriptor is a terminal. */
export function isTerminal(descriptor: number): boolean {
  const { symbols } = dlopen(LIBC, { isatty: { args: ["i32"], returns: "i32" } });
  return symbols.isatty(descriptor) === 1;
}

/** Takes the lock of a file or folder for this descriptor (flock(2)) and tells whether nobody else has it. */
export function tryLock(descriptor: number, subject: string): boolean {
  const { symbols } = dlopen(LIBC, { flock: { args: ["i32", "i32"], returns: "i32" } });
  if (symbols.flock(descriptor, LOCK_EXCLUSIVE | LOCK_NONBLOCKING) === 0) return true;
  if (errno() === EWOULDBLOCK) return false;
  throw new SystemError("flock", subject, errno());
}

/** Makes a folder the root of this process, and of what it starts from now on; throws a SystemError. */
export function changeRoot(path: string): void {
  const { symbols } = dlopen(LIBC, { chroot: { args: ["ptr"], returns: "i32" } });
  if (symbols.chroot(cString(path)) !== 0) throw new SystemError("chroot", path, errno());
  process.chdir("/");
}

/** Has the kernel forget that pages of a mapping are in use (madvise(2)); throws a SystemError. */
export function forgetPages(address: number, bytes: number): void {
  const { symbols } = dlopen(LIBC, { madvise: { args: ["u64", "u64", "i32"], returns: "i32" } });
  if (symbols.madvise(address, bytes, MADV_DONTNEED) !== 0)
    throw new SystemError("madvise", address.toString(16), errno());
}

const MAX_ATTRIBUTE_BYTES = 256;

/** Reads an extended attribute of a file or folder as text; undefined where it has none. Throws a SystemError. */
export function readAttribute(path: string, name: string): string | undefined {
  const value = new Uint8Array(MAX_ATTRIBUTE_BYTES);
  const length = attributeCalls().getxattr(cString(path), cString(name), value, value.length);
  if (length >= 0) return new TextDecoder().decode(value.subarray(0, length));
  if (NO_ATTRIBUTE.has(errno())) return undefined;
  throw new SystemError("getxattr", path, errno());
}

/** Sets an extended attribute of a file or folder; throws a SystemError, as where the kernel keeps none. */
export function writeAttribute(path: string, name: string, text: string): void {
  const value = encoder.encode(text);
  if (attributeCalls().setxattr(cString(path), cString(name), value, value.length, 0) === 0) return;
  throw new SystemError("setxattr", path, errno());
}

/** Removes an extended attribute of a file or folder, if it has it; throws a SystemError. */
export function removeAttribute(path: string, name: string): void {
  if (attributeCalls().removexattr(cString(path), cString(name)) === 0 || NO_ATTRIBUTE.has(errno())) return;
  throw new SystemError("removexattr", path, errno());
}

const bindAttributeCalls = () =>
  dlopen(LIBC, {
    getxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i32" },
    setxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
    removexattr: { args: ["ptr", "ptr"], returns: "i32" },
  }).symbols;

let boundAttributeCalls: ReturnType<typeof bindAttributeCalls> | undefined;

// Once, and not with the others: the hook has no use for them, and the agent may need one each second.
function attributeCalls(): ReturnType<typeof bindAttributeCalls> {
  boundAttributeCalls ??= bindAttributeCalls();
  return boundAttributeCalls;
}

// Handed over as such: its address alone would let the collector have it before the call.
function cString(text: string): Uint8Array {
  if (text.includes("\0")) throw new Error(`${JSON.stringify(text)} holds a NUL`);
  return encoder.encode(`${text}\0`);
}

// Bound when there is an error to describe, as isatty is: each function that is bound costs the hook's start.
function describe(errno: number): string {
  const { symbols } = dlopen(LIBC, { strerror: { args: ["i32"], returns: "ptr" } });
  return String(new CString(symbols.strerror(errno) as Pointer));
}

function errno(): number {
  return readMemory.i32(c.__errno_location() as Pointer, 0);
}
