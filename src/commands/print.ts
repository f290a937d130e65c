import { writeSync } from "node:fs";
import { EXIT_SUCCESS } from "./exit-status.ts";

const STDOUT = 1;

/** Writes a text to standard output at once, and returns the exit status of a success. */
export function print(text: string): number {
  writeSync(STDOUT, text);
  return EXIT_SUCCESS;
}
