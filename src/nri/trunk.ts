import type { Socket } from "bun";

// What waits to be sent, beyond which nothing more is read: a runtime that asks and never listens costs no more.
const MAX_QUEUED_BYTES = 2 ** 20;

/** Who is told what comes out of a socket. */
export interface TrunkReader {
  /** Bytes are of use only until the next ones come; an Error thrown closes the socket. */
  received(bytes: Uint8Array): void;
  /** Called once, with the reason; undefined when the other side closed it. */
  closed(error: Error | undefined): void;
}

/** A socket that takes whatever is written, and sends it as the other side reads. */
export class Trunk {
  readonly #socket: Socket;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isPaused = false;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Opens the socket at a path, or takes the one that is open as a file descriptor, and asks for its reader before
   * anything can come; throws when nobody listens there.
   */
  static async open(target: string | number, begin: (trunk: Trunk) => TrunkReader): Promise<void> {
    let trunk: Trunk | undefined;
    let reader: TrunkReader | undefined;
    const close = (error?: Error) => {
      if (trunk?.close()) reader?.closed(error);
    };
    const socket = {
      open(socket: Socket) {
        trunk = new Trunk(socket);
        reader = begin(trunk);
      },
      data(_: Socket, bytes: Uint8Array) {
        if (trunk?.isClosed === false) reader?.received(bytes);
      },
      drain() {
        if (trunk?.isClosed !== false) return;
        if (trunk.#send()) trunk.#keepPace();
        else close();
      },
      close(_: Socket, error?: Error) {
        close(error);
      },
      error(_: Socket, error: Error) {
        close(error);
      },
    };
    // Bun takes an open descriptor too, which its types leave out; node:net would close it at once.
    const place =
      typeof target === "string" ? { unix: target } : ({ fd: target } as unknown as { unix: string });
    await Bun.connect({ ...place, socket });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends bytes, now or when there is room. */
  write(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    // Whoever is gone is noticed by the socket itself, and told of after what is at hand.
    if (this.#queue.length === 1) this.#send();
    this.#keepPace();
  }

  /** Closes the socket, without a word to its reader; what was not sent yet is lost. False when it was closed. */
  close(): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#queue = [];
    this.#socket.terminate();
    return true;
  }

  // Bun sends what the kernel has room for, and leaves the rest. False when nobody is there any more.
  #send(): boolean {
    const bytes = this.#queue.length === 1 ? this.#queue[0] : Buffer.concat(this.#queue);
    if (bytes === undefined || bytes.length === 0) return true;
    const sentBytes = this.#socket.write(bytes);
    if (sentBytes < 0) return false;
    this.#queue = sentBytes < bytes.length ? [bytes.subarray(sentBytes)] : [];
    this.#queuedBytes = bytes.length - sentBytes;
    return true;
  }

  #keepPace(): void {
    const isPaused = this.#queuedBytes > MAX_QUEUED_BYTES;
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#socket.pause();
    else this.#socket.resume();
  }
}
