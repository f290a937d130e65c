import { availableParallelism } from "node:os";
import { run } from "./command.ts";

/**
 * Milliseconds of the work on the reference machine: two processors of a virtual machine from 2024, with nothing else
 * to do.
 */
const REFERENCE_MILLISECONDS = 1000;

const WORK = `${import.meta.dir}/work.ts`;

/**
 * Returns how many times slower than the reference machine this one is now, as the slowest processor has it. Every
 * processor does the work at once: a processor that something else keeps busy has to show.
 */
export async function measureSlowness(): Promise<number> {
  const runs = await Promise.all(
    Array.from({ length: availableParallelism() }, () =>
      run([process.execPath, WORK], { cwd: import.meta.dir }),
    ),
  );
  const milliseconds = runs.map(({ exitCode, output }) => {
    if (exitCode !== 0) throw new Error(`the calibration ended with ${exitCode}: ${output}`);
    return Number(output);
  });
  return Math.max(...milliseconds) / REFERENCE_MILLISECONDS;
}
