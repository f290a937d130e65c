import { forgetExecutablePages } from "../../host/executable-pages.ts";

const QUIET_MILLISECONDS = 2000;

/**
 * Returns memory to the kernel whenever the process becomes idle: garbage of the heap, and touched pages of the
 * executable. Bun keeps both for the next burst of work, which on most nodes is minutes or hours away.
 */
export class IdleMemory implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #isUsed = true;
  #isQuiet = false;

  constructor() {
    // Start-up code is not needed any more.
    forgetPages();
    this.#timer = setInterval(() => this.#check(), QUIET_MILLISECONDS).unref();
  }

  /** Notes that the process is at work. */
  readonly use = (): void => {
    this.#isUsed = true;
    this.#isQuiet = false;
  };

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    if (this.#isQuiet && this.#isUsed) {
      this.#isUsed = false;
      Bun.gc(true);
      forgetPages();
    }
    this.#isQuiet = true;
  }
}

// A plugin that holds too much memory still does its work.
function forgetPages(): void {
  try {
    forgetExecutablePages();
  } catch {}
}
