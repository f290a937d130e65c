import type { OwnedPath } from "../target/owned-path.ts";
import type { HookDefinition } from "./definition.ts";
import { HOOK_FILE } from "./plan.ts";

/** A file that defines a hook. */
export interface HookFile {
  readonly folder: string;
  readonly name: string;
  /** The parsed definition, or the complaints for which a runtime rejects it. */
  readonly definition: HookDefinition | { readonly complaints: readonly string[] };
  /** True if the executable exists; without it, a runtime silently ignores the hook. */
  readonly hasExecutable: boolean;
  /** The file and all folders above it, from the root on. */
  readonly owned: readonly OwnedPath[];
}

/** Returns the path of a hook's definition. */
export function pathOf({ folder, name }: HookFile): string {
  return `${folder}/${name}`;
}

/** Returns true if a file defines the hook that runs wasp, or has the name of that hook. */
export function isWaspHook({ name, definition }: HookFile): boolean {
  return name === HOOK_FILE || ("path" in definition && runsWasp(definition));
}

/** Returns true if a hook runs `wasp hook`. */
export function runsWasp({ path, args }: HookDefinition): boolean {
  return (args[0] === "wasp" || path.endsWith("/wasp")) && args[1] === "hook";
}

/** Returns the definitions that a runtime loads from these folders: of several with one name, the one in the last folder. */
export function hooksInForce(files: readonly HookFile[], folders: readonly string[]): HookFile[] {
  const byName = new Map<string, HookFile>();
  for (const folder of folders)
    for (const file of files) if (file.folder === folder) byName.set(file.name, file);
  return [...byName.values()];
}
