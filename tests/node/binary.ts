import { existsSync } from "node:fs";
import { patience } from "../patience.ts";

/** Root of the repository. */
export const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** Path of the compiled executable that the tests run. */
export const WASP = `${ROOT}/dist/wasp`;

/** Exit status and output of a process. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the compiled executable with a clean environment, and kills it after 20 s. */
export async function wasp(
  args: readonly string[],
  stdin: Blob | "ignore" = "ignore",
  env: Record<string, string> = {},
): Promise<Outcome> {
  if (!existsSync(WASP)) throw new Error(`${WASP} is missing: npm run build makes it`);
  const run = Bun.spawn([WASP, ...args], {
    stdin,
    stdout: "pipe",
    stderr: "pipe",
    env,
    timeout: patience(20),
  });
  const [stdout, stderr] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  return { exitCode: run.exitCode ?? -1, stdout, stderr };
}
