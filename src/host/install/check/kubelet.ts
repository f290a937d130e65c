import { readlinkSync } from "node:fs";
import type { KubeletFlags } from "../../../install/kubelet/flags.ts";
import { type KubeletSettings, mergeKubeletSettings } from "../../../install/kubelet/settings.ts";
import type { Host } from "../../../install/target/host.ts";
import { rootOf } from "../../../install/target/processes.ts";
import type { RunningProcess } from "../../../install/target/read-host.ts";
import { readFile } from "../../file.ts";
import { walk } from "./tree.ts";

/**
 * Reads what a kubelet is told of swap and memory: the one that runs, or else the one that would by its unit; undefined
 * where there is neither. Throws an error that names the file that cannot be read.
 */
export function readKubelet(host: Host, flags: KubeletFlags): KubeletSettings | undefined {
  const { process, startedBy } = flags;
  if (!flags.isThere && startedBy !== undefined)
    throw new Error(
      `${startedBy.name} starts the kubelet, and with what is not to be told while it does not run`,
    );
  if (!flags.isThere) return undefined;
  const root = process === undefined ? host.fsroot : rootOf(host.fsroot, process);
  const absolute = (path: string) =>
    path.startsWith("/") || process === undefined ? path : `${folderOf(host.fsroot, process)}/${path}`;
  const config = flags.valueOf("--config");
  const configPaths = config ? [root + absolute(config)] : [];
  const dropInFolder = flags.valueOf("--config-dir");
  const all = dropInFolder ? walk(root + absolute(dropInFolder)) : [];
  const dropInPaths = all.filter((path) => path.endsWith(".conf"));
  const documents = { config: configPaths.map(parseDocument)[0], dropIns: dropInPaths.map(parseDocument) };
  return {
    ...mergeKubeletSettings(documents, flags.valueOf),
    startedBy,
    readsDropIns: dropInFolder !== undefined,
    files: [...configPaths, ...dropInPaths].map((path) => path.slice(root.length)),
  };
}

function folderOf(fsroot: string, { pid }: RunningProcess): string {
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
