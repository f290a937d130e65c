import { consola } from "consola";

/** The exit status of a command that could not do what it was asked to. */
export const EXIT_FAILURE = 1;
/** The exit status of a command that was not asked in a way that it understands. */
export const EXIT_USAGE = 2;

/** Loads a command's configuration, or shows each line of what is wrong with it and returns undefined. */
export function loadOrComplain<Config>(load: () => Config): Config | undefined {
  try {
    return load();
  } catch (error) {
    for (const complaint of (error as Error).message.split("\n")) consola.error(complaint);
    return undefined;
  }
}
