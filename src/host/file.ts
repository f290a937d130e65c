import { close, O, open, read as readInto, SystemError, write } from "./libc.ts";

const decoder = new TextDecoder();
const LARGE_BYTES = 1024 * 1024;
// One buffer for all reads, which are sequential: large enough for most bundles' config.json.
let buffer: Uint8Array = new Uint8Array(16 * 1024);

/**
 * Reads a whole file as text, whatever its size in the inode (files of /proc and of cgroups have none); throws a
 * SystemError, or an Error that names the file if it exceeds maxBytes.
 */
export function readFile(path: string, maxBytes = 1024 * 1024): string {
  // A FIFO at this path must not block a container's start: O_NONBLOCK.
  return withFile(path, O.RDONLY | O.NONBLOCK, (descriptor) => readToEnd(descriptor, path, maxBytes));
}

/**
 * Reads a descriptor to its end as text, after a wait before each read; throws a SystemError, or an Error with the name
 * if it exceeds maxBytes. Above 1 MiB, characters that are not ASCII are returned byte by byte: a single one would double
 * the memory of the text.
 */
export function readToEnd(descriptor: number, name: string, maxBytes: number, wait = () => {}): string {
  for (let length = 0; ; ) {
    try {
      wait();
    } catch (error) {
      throw new IncompleteRead((error as Error).message, beginning(length));
    }
    const read = readInto(descriptor, length === 0 ? buffer : buffer.subarray(length), name);
    length += read;
    if (length > maxBytes)
      throw new IncompleteRead(`${name} holds more than the ${maxBytes} bytes allowed`, beginning(length));
    if (read === 0)
      return length > LARGE_BYTES ? decodeLatin1(length) : decoder.decode(buffer.subarray(0, length));
    if (length === buffer.length) buffer = grown(buffer, maxBytes);
  }
}

/** Error of a read that did not come to the end. */
export class IncompleteRead extends Error {
  /** The first bytes that were read, as text. */
  readonly beginning: string;

  constructor(message: string, beginning: string) {
    super(message);
    this.beginning = beginning;
  }
}

const BEGINNING_BYTES = 64 * 1024;

function beginning(length: number): string {
  return decoder.decode(buffer.subarray(0, Math.min(length, BEGINNING_BYTES)));
}

function decodeLatin1(length: number): string {
  return Buffer.from(buffer.buffer, 0, length).toString("latin1");
}

// One byte more than allowed shows that there is more.
function grown(full: Uint8Array, maxBytes: number): Uint8Array {
  const larger = new Uint8Array(Math.min(full.length * 4, maxBytes + 1));
  larger.set(full);
  return larger;
}

/**
 * Reads a file that the kernel shows as one record, as those of cgroups and of pressure; throws a SystemError. One read
 * returns such a record whole (fs/seq_file.c, seq_read_iter), and thousands are read each second.
 */
export function readRecord(path: string): string {
  return withFile(path, O.RDONLY | O.NONBLOCK, (descriptor) => {
    const length = readInto(descriptor, buffer, path);
    return length < buffer.length ? decoder.decode(buffer.subarray(0, length)) : readFile(path);
  });
}

/** Reads a file as readFile does; undefined if it is missing. */
export function readFileIfThere(path: string): string | undefined {
  return unlessMissing(() => readFile(path));
}

/** Returns the result of a function of libc.ts's calls; undefined if a file or cgroup is missing. */
export function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SystemError && error.isMissing) return undefined;
    throw error;
  }
}

/** Returns the result of a function of node:fs's calls; undefined if a file or cgroup is missing. */
export function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    // ENODEV is the error of an open directory or file of a removed cgroup.
    if (["ENOENT", "ENODEV", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
}

/**
 * Writes a text to an existing file, in one call; throws a SystemError. It neither creates a file nor follows a link at
 * the end of the path, so a write to a cgroup's file cannot reach another one.
 */
export function writeExistingFile(path: string, text: string): void {
  withFile(path, O.WRONLY | O.TRUNC | O.NOFOLLOW, (descriptor) => write(descriptor, text, path));
}

/** Appends a text to a file, which is created with mode 0640 if it is missing; throws a SystemError. */
export function appendFile(path: string, text: string): void {
  // A FIFO without a reader fails instead of blocking: O_NONBLOCK.
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
