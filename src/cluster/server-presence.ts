import { connect, type Socket } from "bun";

const RETRY_SECONDS = 1;
// A server that ends a connection sooner than this, again and again, is no restarting kubelet.
const LASTING_SECONDS = 60;
const LAST_RETRY_SECONDS = 64;

/** Address of a server. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** Receiver of a server's coming and going. */
export interface PresenceListener {
  /** Called when the connection ends: the server may have ended. */
  onGone(): void;
  /** Called when the server accepts a connection again. */
  onReturned(): void;
}

/**
 * Notices the restart of a server within seconds, at no cost in between: holds one connection on which nothing is sent,
 * which the kernel closes when the server's process ends. A kubelet closes such a connection after four hours
 * (kubernetes pkg/kubelet/server/server.go, ListenAndServeKubeletServer, ReadTimeout).
 */
export class ServerPresence implements Disposable {
  readonly #address: ServerAddress;
  readonly #listener: PresenceListener;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hasBeenGone = false;
  #isClosed = false;
  #retrySeconds = RETRY_SECONDS;
  #openedMilliseconds = 0;

  constructor(address: ServerAddress, listener: PresenceListener) {
    this.#address = address;
    this.#listener = listener;
    void this.#connect();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.end();
  }

  async #connect(): Promise<void> {
    const { host: hostname, port } = this.#address;
    const socket = {
      open: () => this.#onOpen(),
      close: () => this.#onClose(),
      data: () => {},
      error: () => {},
    };
    try {
      this.#socket = await connect({ hostname, port, socket });
      if (this.#isClosed) this.#socket.end();
    } catch {
      // Nothing listens; a refused connection has no close.
      this.#retryIn(RETRY_SECONDS);
    }
  }

  #onOpen(): void {
    this.#openedMilliseconds = performance.now();
    if (this.#hasBeenGone && !this.#isClosed) this.#listener.onReturned();
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#listener.onGone();
    const lastedSeconds = (performance.now() - this.#openedMilliseconds) / 1000;
    if (lastedSeconds >= LASTING_SECONDS) this.#retrySeconds = RETRY_SECONDS;
    this.#retryIn(this.#retrySeconds);
    this.#retrySeconds = Math.min(LAST_RETRY_SECONDS, 2 * this.#retrySeconds);
  }

  #retryIn(seconds: number): void {
    this.#hasBeenGone = true;
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#connect(), seconds * 1000);
  }
}
