import { availableParallelism } from "node:os";
import { run } from "./command.ts";

/**
 * Milliseconds of the work on the reference machine: two processors of a virtual machine from 2024, with nothing else
 * to do.
 */
const REFERENCE_MILLISECONDS = 1000;

const WORK = `${import.meta.dir}/work.ts`;

// The scheduler often favours, for a second or two, processes that have just begun: beside six busy loops, one round in
// three was as fast as on an idle machine.
const ROUNDS = 6;

/** Returns how many times slower than the reference machine this one is now, as the slowest of some rounds has it. */
export async function measureSlowness(): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await millisecondsOfWork());
  return Math.max(...rounds) / REFERENCE_MILLISECONDS;
}

/**
 * Returns the milliseconds that the slowest processor needs for the work, which every processor does at once: a
 * processor that something else keeps busy has to show.
 */
async function millisecondsOfWork(): Promise<number> {
  const runs = await Promise.all(
    Array.from({ length: availableParallelism() }, () =>
      run([process.execPath, WORK], { cwd: import.meta.dir }),
    ),
  );
  const milliseconds = runs.map(({ exitCode, output }) => {
    if (exitCode !== 0) throw new Error(`the calibration ended with ${exitCode}: ${output}`);
    return Number(output);
  });
  return Math.max(...milliseconds);
}
