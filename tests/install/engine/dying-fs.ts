import { mock } from "bun:test";
import * as fs from "node:fs";

const real = { ...fs };

// Every call by which an installation changes something.
const MUTATING = [
  ...[
    "copyFileSync",
    "fchmodSync",
    "fchownSync",
    "fsyncSync",
    "mkdirSync",
    "renameSync",
    "rmSync",
    "rmdirSync",
  ],
  ...["symlinkSync", "writeFileSync"],
] as const;

let callsLeft = Number.POSITIVE_INFINITY;

/**
 * Runs something that dies after so many calls that change a file or folder, as if it were killed there: no such call does
 * anything any more. Tells whether it died.
 */
export function dieAfter(calls: number, run: () => void): boolean {
  callsLeft = calls;
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof Death) return true;
    throw error;
  } finally {
    callsLeft = Number.POSITIVE_INFINITY;
  }
}

class Death extends Error {}

const dying = Object.fromEntries(
  MUTATING.map((name) => [
    name,
    (...args: unknown[]) => {
      if (callsLeft === 0) throw new Death(`${name} of a dead process`);
      callsLeft -= 1;
      // What the disk has of it, no test can see; and it takes most of the time.
      if (name === "fsyncSync") return;
      return (real as unknown as Record<string, (...args: unknown[]) => unknown>)[name]?.(...args);
    },
  ]),
);

await mock.module("node:fs", () => ({ ...real, ...dying }));
