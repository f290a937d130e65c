import { existsSync } from "node:fs";

/** The repository's root. */
export const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** The compiled executable that the tests run. */
export const WASP = `${ROOT}/dist/wasp`;

/** What a process did. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the compiled executable with a clean environment; a time-out in milliseconds fails the test. */
export async function wasp(
  args: readonly string[],
  stdin: Blob | "ignore" = "ignore",
  env: Record<string, string> = {},
): Promise<Outcome> {
  if (!existsSync(WASP)) throw new Error(`${WASP} is missing: npm run build makes it`);
  const run = Bun.spawn([WASP, ...args], { stdin, stdout: "pipe", stderr: "pipe", env, timeout: 20_000 });
  const [stdout, stderr] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  return { exitCode: run.exitCode ?? -1, stdout, stderr };
}
