import { readlinkSync } from "node:fs";
import { readFile } from "../../host/file.ts";
import type { Host } from "../target/host.ts";
import { type RunningProcess, rootOf } from "../target/processes.ts";
import { entriesBelow } from "../target/read-host.ts";
import { type EffectiveKubelet, mergeKubeletSettings } from "./effective.ts";
import type { KubeletFlags } from "./read-flags.ts";

/**
 * Reads the settings that a kubelet has in force: those of the running one, from the files that it sees in its own mount
 * namespace, or else those of its unit. Undefined where the host has neither. Throws an error that names the file that
 * cannot be read.
 */
export function readEffectiveKubelet(host: Host, flags: KubeletFlags): EffectiveKubelet | undefined {
  const { process, startedBy } = flags;
  if (!flags.isThere && startedBy !== undefined)
    throw new Error(`${startedBy.name} starts the kubelet, and its flags are not known until it runs`);
  if (!flags.isThere) return undefined;
  const root = process === undefined ? host.fsroot : rootOf(host.fsroot, process);
  const absolute = (path: string) =>
    path.startsWith("/") || process === undefined
      ? path
      : `${workingDirectoryOf(host.fsroot, process)}/${path}`;
  const config = flags.valueOf("--config");
  const configPaths = config ? [root + absolute(config)] : [];
  const dropInFolder = flags.valueOf("--config-dir");
  const all = dropInFolder ? entriesBelow(root + absolute(dropInFolder)) : [];
  const dropInPaths = all.filter((path) => path.endsWith(".conf"));
  const documents = { config: configPaths.map(parseDocument)[0], dropIns: dropInPaths.map(parseDocument) };
  return {
    ...mergeKubeletSettings(documents, flags.valueOf),
    startedBy,
    readsDropIns: dropInFolder !== undefined,
    files: [...configPaths, ...dropInPaths].map((path) => path.slice(root.length)),
  };
}

function workingDirectoryOf(fsroot: string, { pid }: RunningProcess): string {
  return readlinkSync(`${fsroot}/proc/${pid}/cwd`);
}

// A kubelet takes JSON too, which is YAML.
function parseDocument(path: string): unknown {
  const text = readFile(path);
  try {
    return Bun.YAML.parse(text);
  } catch (error) {
    throw new Error(`${path} cannot be read as YAML: ${(error as Error).message}`);
  }
}
