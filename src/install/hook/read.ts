import definition from "../../../hooks.d/wasp-swap.json" with { type: "text" };
import { namesIn } from "../../host/directory.ts";
import { readFile } from "../../host/file.ts";
import { type CrioFacts, DEFAULT_HOOKS_DIR, OVERRIDE_HOOKS_DIR } from "../crio/plan.ts";
import type { Host } from "../target/host.ts";
import { isExecutable, isThere } from "../target/read-host.ts";
import { readOwnedPaths } from "../target/read-owned-paths.ts";
import { parseHookDefinition } from "./definition.ts";
import { type HookFile, runOfWasp } from "./files.ts";
import type { HookFacts } from "./plan.ts";

// Hooks are often put here without being loaded; wasp-agent uses the last one.
const USUAL_HOOK_FOLDERS = [DEFAULT_HOOKS_DIR, OVERRIDE_HOOKS_DIR, "/run/containers/oci/hooks.d"];

/** Reads the facts by which the hook is planned for a host's CRI-O. */
export function readHookFacts(host: Host, binaryPath: string, crio: CrioFacts): HookFacts {
  return { definition: definition as unknown as string, isBinaryThere: isExecutable(host, binaryPath), crio };
}

/** Reads all hooks in these folders and in the usual ones. Throws an error with the unreadable path. */
export function readHookFiles(fsroot: string, folders: readonly string[]): HookFile[] {
  const all = new Set([...USUAL_HOOK_FOLDERS, ...folders]);
  return [...all].flatMap((folder) =>
    namesIn(fsroot + folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => readHookFile(fsroot, folder, name)),
  );
}

function readHookFile(fsroot: string, folder: string, name: string): HookFile {
  const definition = parseHookDefinition(readFile(`${fsroot}${folder}/${name}`));
  const wasp = "path" in definition ? runOfWasp(definition) : undefined;
  return {
    folder,
    name,
    definition,
    hasExecutable: "path" in definition && isThere({ fsroot }, definition.path),
    hasWasp: wasp === undefined || isThere({ fsroot }, wasp.path),
    owned: readOwnedPaths(fsroot, `${folder}/${name}`),
  };
}
