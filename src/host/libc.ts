import { CString, dlopen, type Pointer, ptr, read as readMemory } from "bun:ffi";

// node:fs would double the hook's time: loading it costs as much as everything else that the hook does together.
const { symbols: c } = dlopen("libc.so.6", {
  open: { args: ["ptr", "i32", "i32"], returns: "i32" },
  // Counts stay far below 2^31, so ssize_t is taken as an i32: an i64 would come back as a BigInt.
  read: { args: ["i32", "ptr", "u64"], returns: "i32" },
  write: { args: ["i32", "ptr", "u64"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  strerror: { args: ["i32"], returns: "ptr" },
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
const POLLIN = 1;

/** A system call that failed; the message names the call, what it was called on and the kernel's reason. */
export class SystemError extends Error {
  readonly errno: number;

  constructor(call: string, subject: string, errno: number) {
    super(`${call} ${subject}: ${new CString(c.strerror(errno) as Pointer)}`);
    this.errno = errno;
  }

  /** Nothing is there by that name. */
  get isMissing(): boolean {
    return this.errno === ENOENT;
  }
}

/** Opens a file and returns its descriptor; throws a SystemError. A new file gets the mode 0640 less the umask. */
export function open(path: string, flags: number): number {
  if (path.includes("\0")) throw new Error(`open ${JSON.stringify(path)}: a path holds no NUL`);
  const name = encoder.encode(`${path}\0`);
  return call("open", path, () => c.open(ptr(name), flags | O.CLOEXEC, 0o640));
}

/** Reads what is there into the buffer and returns the number of bytes, 0 at the end; throws a SystemError. */
export function read(descriptor: number, buffer: Uint8Array, subject: string): number {
  return call("read", subject, () => c.read(descriptor, ptr(buffer), buffer.length));
}

/** Writes a text in one call, as cgroup files and logs need it; throws a SystemError. */
export function write(descriptor: number, text: string, subject: string): void {
  const bytes = encoder.encode(text);
  call("write", subject, () => c.write(descriptor, ptr(bytes), bytes.length));
}

/** Closes a descriptor. */
export function close(descriptor: number): void {
  c.close(descriptor);
}

// struct pollfd as two words: the descriptor, then the events asked for below those that came (little-endian).
const pollfd = new Int32Array(2);

/** Waits until a read of the descriptor would not block, and tells whether that came within the milliseconds. */
export function waitReadable(descriptor: number, milliseconds: number): boolean {
  pollfd[0] = descriptor;
  pollfd[1] = POLLIN;
  return (
    call("poll", `descriptor ${descriptor}`, () => c.poll(ptr(pollfd), 1, Math.max(0, milliseconds))) > 0
  );
}

function call(name: string, subject: string, attempt: () => number): number {
  for (;;) {
    const result = attempt();
    if (result >= 0) return result;
    const errno = readMemory.i32(c.__errno_location() as Pointer, 0);
    if (errno !== EINTR) throw new SystemError(name, subject, errno);
  }
}
