import { forgetExecutablePages } from "../../host/executable-pages.ts";

const QUIET_MILLISECONDS = 2000;

/**
 * Gives memory back whenever nothing happens any more: what a burst of work has left in the heap, and the executable's
 * pages that it has touched. Bun keeps both for work that, on most nodes, comes in minutes or hours.
 */
export class IdleMemory implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #isUsed = true;
  #isQuiet = false;

  constructor() {
    // What the start took is needed no more.
    forgetPages();
    this.#timer = setInterval(() => this.#look(), QUIET_MILLISECONDS).unref();
  }

  /** Notes that something happens. */
  readonly use = (): void => {
    this.#isUsed = true;
    this.#isQuiet = false;
  };

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#isQuiet && this.#isUsed) {
      this.#isUsed = false;
      Bun.gc(true);
      forgetPages();
    }
    this.#isQuiet = true;
  }
}

// A plugin that holds more than it has to is still of use.
function forgetPages(): void {
  try {
    forgetExecutablePages();
  } catch {}
}
