import { consola } from "consola";

/** Loads a command's configuration; prints an Error's lines to standard error and returns undefined instead. */
export function loadOrComplain<Config>(load: () => Config): Config | undefined {
  try {
    return load();
  } catch (error) {
    for (const complaint of (error as Error).message.split("\n")) consola.error(complaint);
    return undefined;
  }
}
