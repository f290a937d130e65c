import type { Socket } from "bun";

// Limit of unsent bytes, beyond which reading stops: a runtime that sends requests without reading costs no more.
const MAX_QUEUED_BYTES = 2 ** 20;

/** Receiver of a socket's bytes. */
export interface TrunkReader {
  /** Called with received bytes, which are valid only during the call; a thrown Error closes the socket. */
  received(bytes: Uint8Array): void;
  /** Called once when the socket was closed, with the reason; undefined if the peer closed it. */
  closed(error: Error | undefined): void;
}

/** Socket with an unbounded write queue, which is sent as the peer reads. */
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
   * Connects to the socket at a path, or takes an open one by its file descriptor, and gets its reader before any byte
   * arrives. Throws an Error if nothing listens there.
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
    // Bun also takes an open file descriptor, which its types lack; node:net would close it at once.
    const place =
      typeof target === "string" ? { unix: target } : ({ fd: target } as unknown as { unix: string });
    await Bun.connect({ ...place, socket });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends bytes, now or when the peer reads. */
  write(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    // A closed peer is reported by the socket's own events later.
    if (this.#queue.length === 1) this.#send();
    this.#keepPace();
  }

  /** Closes the socket without notifying its reader; unsent bytes are lost. Returns false if it was closed already. */
  close(): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#queue = [];
    this.#socket.terminate();
    return true;
  }

  // Bun sends what fits into the kernel's buffer. Returns false if the peer is gone.
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
