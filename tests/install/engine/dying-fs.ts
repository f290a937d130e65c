import { mock } from "bun:test";
import * as fs from "node:fs";

const real = { ...fs };

// All calls with which an installation changes files.
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
 * Runs a function that is stopped after a number of calls that change files, as if the process were killed there. Returns
 * true if it was stopped.
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
      // No test can see the state of the disk, and syncing takes most of the time.
      if (name === "fsyncSync") return;
      return (real as unknown as Record<string, (...args: unknown[]) => unknown>)[name]?.(...args);
    },
  ]),
);

await mock.module("node:fs", () => ({ ...real, ...dying }));
