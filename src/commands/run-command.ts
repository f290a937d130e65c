import { consola } from "consola";
import { printable, printableText } from "../terminal/printable.ts";
import { EXIT_FAILURE, EXIT_USAGE } from "./exit-status.ts";

/**
 * Loads a command's configuration, runs the command with it, and returns the exit status. Prints an Error of either to
 * standard error, that of loading line by line.
 */
export async function runCommand<Config>(
  load: () => Config,
  run: (config: Config) => number | Promise<number>,
): Promise<number> {
  let config: Config;
  try {
    config = load();
  } catch (error) {
    for (const complaint of (error as Error).message.split("\n")) consola.error(printable(complaint));
    return EXIT_USAGE;
  }
  try {
    return await run(config);
  } catch (error) {
    // It may quote a file from anybody, and a terminal obeys what it is sent.
    consola.error(printableText((error as Error).message));
    return EXIT_FAILURE;
  }
}
