import { close, O, open, read as readInto, SystemError, write } from "./libc.ts";

const decoder = new TextDecoder();
// One buffer for every read, as they are done one after another: large enough for most bundles' config.json.
let buffer: Uint8Array = new Uint8Array(16 * 1024);

/**
 * Reads a whole file as text, whatever size the kernel gives it (files of /proc and of cgroups have none); throws a
 * SystemError, or an error that names the file when it holds more than maxBytes.
 */
export function readFile(path: string, maxBytes = 1024 * 1024): string {
  // A FIFO in the file's place must not hold a container's start: O_NONBLOCK.
  return withFile(path, O.RDONLY | O.NONBLOCK, (descriptor) => readToEnd(descriptor, path, maxBytes));
}

/**
 * Reads a descriptor to its end as text, after a wait before each read; throws a SystemError, or an error that names
 * it when it holds more than maxBytes.
 */
export function readToEnd(descriptor: number, name: string, maxBytes: number, wait = () => {}): string {
  for (let length = 0; ; ) {
    wait();
    const read = readInto(descriptor, length === 0 ? buffer : buffer.subarray(length), name);
    length += read;
    if (length > maxBytes) throw new Error(`${name} holds more than the ${maxBytes} bytes allowed`);
    if (read === 0) return decoder.decode(buffer.subarray(0, length));
    if (length === buffer.length) buffer = grown(buffer);
  }
}

function grown(full: Uint8Array): Uint8Array {
  const larger = new Uint8Array(full.length * 4);
  larger.set(full);
  return larger;
}

/** Reads a file as readFile does; undefined when it is not there. */
export function readFileIfThere(path: string): string | undefined {
  return unlessMissing(() => readFile(path));
}

/** What is read of files; undefined when one of them is not there. */
export function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SystemError && error.isMissing) return undefined;
    throw error;
  }
}

/** Returns what a function does, or undefined when the cgroup that it looks at is gone. */
export function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    // ENODEV is what an open directory or file of a removed cgroup gives.
    if (["ENOENT", "ENODEV", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
}

/**
 * Writes a text to a file that is there, in one call; throws a SystemError. Never makes a file and never follows a
 * link at the path's end: what is meant for a cgroup's file reaches nothing else.
 */
export function writeExistingFile(path: string, text: string): void {
  withFile(path, O.WRONLY | O.TRUNC | O.NOFOLLOW, (descriptor) => write(descriptor, text, path));
}

/** Appends a text to a file, which is made with mode 0640 if need be; throws a SystemError. */
export function appendFile(path: string, text: string): void {
  // A FIFO that nobody reads fails instead of waiting: O_NONBLOCK.
  const flags = O.WRONLY | O.APPEND | O.CREAT | O.NONBLOCK;
  withFile(path, flags, (descriptor) => write(descriptor, text, path));
}

function withFile<T>(path: string, flags: number, use: (descriptor: number) => T): T {
  const descriptor = open(path, flags);
  try {
    return use(descriptor);
  } finally {
    close(descriptor);
  }
}
