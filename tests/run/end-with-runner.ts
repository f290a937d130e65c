import { constants } from "node:os";
import { killAll } from "./command.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends the runner at the signals that end it, with everything it started, and with a shell's exit status for them. */
export function endAtSignals(print: (text: string) => void): void {
  for (const signal of SIGNALS)
    process.once(signal, () => {
      print(`\nended by ${signal}`);
      killAll();
      process.exit(128 + constants.signals[signal]);
    });
}
