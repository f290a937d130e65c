import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import { printable } from "../../terminal/printable.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { Activity, HostOutcome } from "./outcome.ts";

/** Selection of the hosts whose output is shown. */
export type ShownOutput = "none" | "failed" | "all";

/** Display of the progress on all hosts. */
export interface Progress {
  /** Shows the current activity on a host. */
  update(host: string, activity: Activity): void;
  /** Shows the outcome of a host. */
  finish(outcome: HostOutcome): void;
  /** Ends the display. */
  end(): void;
}

/** Returns a display that suits the output: a terminal, or a pipe or file. */
export function progressOn(terminal: Terminal, hosts: readonly string[], shown: ShownOutput): Progress {
  return terminal.isTerminal ? new LiveProgress(terminal, hosts, shown) : new PlainProgress(terminal, shown);
}

/** Writes one line per event, `HOST: ...`. */
class PlainProgress implements Progress {
  readonly #terminal: Terminal;
  readonly #shown: ShownOutput;
  readonly #copying = new Set<string>();

  constructor(terminal: Terminal, shown: ShownOutput) {
    this.#terminal = terminal;
    this.#shown = shown;
  }

  update(host: string, activity: Activity): void {
    if (activity.is !== "copying") this.#terminal.write(`${host}: ${activity.is}\n`);
    else if (!this.#copying.has(host)) {
      this.#copying.add(host);
      this.#terminal.write(`${host}: copying ${formatRounded(activity.totalBytes)}\n`);
    }
  }

  finish(outcome: HostOutcome): void {
    this.#terminal.write(describeOutcome(outcome, this.#shown));
  }

  end(): void {}
}

const CURSOR_UP = (lines: number) => (lines === 0 ? "" : `\x1b[${lines}A`);
const ERASE_BELOW = "\x1b[J";

/** Redraws one line per active host at the bottom; the outcomes of finished hosts scroll away above. */
class LiveProgress implements Progress {
  readonly #terminal: Terminal;
  readonly #hosts: readonly string[];
  readonly #shown: ShownOutput;
  readonly #active = new Map<string, string>();
  readonly #results: HostOutcome["result"][] = [];
  #drawn: readonly string[] = [];

  constructor(terminal: Terminal, hosts: readonly string[], shown: ShownOutput) {
    this.#terminal = terminal;
    this.#hosts = hosts;
    this.#shown = shown;
  }

  update(host: string, activity: Activity): void {
    this.#active.set(host, describeActivity(activity));
    this.#draw("");
  }

  finish(outcome: HostOutcome): void {
    this.#active.delete(outcome.host);
    this.#results.push(outcome.result);
    this.#draw(describeOutcome(outcome, this.#shown));
  }

  end(): void {
    this.#redraw("", []);
  }

  #draw(above: string): void {
    const { columns, rows } = this.#terminal;
    const width = Math.max(...this.#hosts.map(({ length }) => length));
    const active = [...this.#active].map(([host, activity]) => `${host.padEnd(width)}  ${activity}`);
    // Lines that scrolled away cannot be redrawn, and wrapped lines cannot be counted.
    const lines = [...active.slice(0, Math.max(0, rows - 2)), this.#tally()];
    const fitting = lines.map((line) => line.slice(0, columns - 1));
    this.#redraw(above, fitting);
  }

  #redraw(above: string, lines: readonly string[]): void {
    if (above === "" && lines.join("\n") === this.#drawn.join("\n")) return;
    const text = lines.map((line) => `${line}\n`).join("");
    this.#terminal.write(`${CURSOR_UP(this.#drawn.length)}${ERASE_BELOW}${above}${text}`);
    this.#drawn = lines;
  }

  #tally(): string {
    const finished = this.#results.length;
    const failed = this.#results.filter((result) => result === "failed").length;
    const waiting = this.#hosts.length - finished - this.#active.size;
    return `${finished} of ${this.#hosts.length} hosts finished, ${failed} failed, ${waiting} waiting`;
  }
}

function describeActivity(activity: Activity): string {
  if (activity.is !== "copying") return activity.is;
  return `copying ${Math.floor((100 * activity.sentBytes) / activity.totalBytes)} %`;
}

/** Formats the outcome of a host. Each line begins with its name, so that no host can imitate the lines of another. */
function describeOutcome({ host, result, reason, seconds, output }: HostOutcome, shown: ShownOutput): string {
  const isShown = shown === "all" || (shown === "failed" && result === "failed");
  const lines = [
    endOf(result, reason, seconds),
    ...(isShown ? output.map(({ text }) => `  ${printable(text)}`) : []),
  ];
  return lines.map((line) => `${`${host}: ${line}`.trimEnd()}\n`).join("");
}

function endOf(result: HostOutcome["result"], reason: string | undefined, seconds: number): string {
  const why = reason === undefined ? "" : `: ${printable(reason)}`;
  if (result === "done") return `done in ${seconds.toFixed(1)} s`;
  return result === "failed" ? `failed after ${seconds.toFixed(1)} s${why}` : (reason ?? result);
}
