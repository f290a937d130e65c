import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { readFile } from "./file.ts";

// A file that is rewritten in place is empty for a moment, and Bun drops an event that equals the one before it and
// comes within two milliseconds. A check after a quiet time sees the whole text, and what was dropped.
const QUIET_MILLISECONDS = 100;
const RECHECK_MILLISECONDS = 60_000;
// The kubelet renames this link to replace all files of a ConfigMap at once (kubernetes
// pkg/volume/util/atomic_writer.go).
const CONFIG_MAP_LINK = "..data";

/**
 * Calls back with the text of a configuration file whenever it has changed; read the file after this call, so that no
 * change is missed. An unreadable file counts as unchanged. Changes without an event, such as those behind a link to
 * another directory, are noticed within a minute.
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

  // The watch starts before the first read: a change in between is seen twice, never missed.
  rewatch();
  seen = textOf(path);
  const recheck = setInterval(() => {
    // Another directory may have taken the name.
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

/** Watches the directory of a file; undefined if it is missing, or the kernel has no watches left. */
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
