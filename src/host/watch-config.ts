import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { readFile } from "./file.ts";

// Who writes a file in place empties it first; and Bun drops an event that is like the one before it and comes within
// two milliseconds. A look when all is quiet sees the whole text, and what was dropped.
const QUIET_MILLISECONDS = 100;
const RECHECK_MILLISECONDS = 60_000;
// The kubelet renames this link to put all files of a ConfigMap in place at once
// (kubernetes pkg/volume/util/atomic_writer.go).
const CONFIG_MAP_LINK = "..data";

/**
 * Tells the text of a configuration file whenever it is another one than before; read the file after this call, so that
 * no change falls in between. A file that cannot be read counts as not changed, and what no watch shows, as behind a
 * link to another directory, is noticed within a minute.
 */
export function watchConfigFile(path: string, onChange: (text: string) => void): Disposable {
  let seen: string | undefined;
  let quiet: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;

  const check = () => {
    const text = textOf(path);
    if (text === undefined || text === seen) return;
    seen = text;
    onChange(text);
  };
  const checkWhenQuiet = () => {
    clearTimeout(quiet);
    quiet = setTimeout(check, QUIET_MILLISECONDS);
  };
  const rewatch = () => {
    watcher?.close();
    watcher = watchDirectory(path, checkWhenQuiet);
  };

  // The watch comes first: what changes in between is seen twice, never missed.
  rewatch();
  seen = textOf(path);
  const recheck = setInterval(() => {
    // Another directory may have the name by now.
    rewatch();
    check();
  }, RECHECK_MILLISECONDS).unref();
  return {
    [Symbol.dispose]() {
      clearTimeout(quiet);
      clearInterval(recheck);
      watcher?.close();
    },
  };
}

function textOf(path: string): string | undefined {
  try {
    return readFile(path);
  } catch {
    return undefined;
  }
}

/** Watches the directory of a file; undefined when it is not there, or the kernel has no watch to give. */
function watchDirectory(path: string, onEvent: () => void): FSWatcher | undefined {
  const names: readonly (string | null)[] = [basename(path), CONFIG_MAP_LINK, null];
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_, name) => {
      if (names.includes(name)) onEvent();
    });
    return watcher.on("error", onEvent);
  } catch {
    return undefined;
  }
}
