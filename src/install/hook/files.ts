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
  /** True if wasp exists at the path that the hook runs; of another's hook always. */
  readonly hasWasp: boolean;
  /** The file and all folders above it, from the root on. */
  readonly owned: readonly OwnedPath[];
}

/** Returns the path of a hook's definition. */
export function pathOf({ folder, name }: HookFile): string {
  return `${folder}/${name}`;
}

/** Returns true if a file defines the hook that runs wasp, or has the name of that hook. */
export function isWaspHook({ name, definition }: HookFile): boolean {
  return name === HOOK_FILE || ("path" in definition && runOfWasp(definition) !== undefined);
}

/** The way in which a hook runs `wasp hook`. */
export interface WaspRun {
  /** Path of wasp. */
  readonly path: string;
  /** True behind the guard, which lets the container start whatever becomes of wasp. */
  readonly isGuarded: boolean;
}

// Name that hooks.d/wasp-swap.json gives to its guard, `sh -c GUARD NAME WASP hook FLAGS`.
const GUARD_NAME = "wasp-guard";

/** Returns how a hook runs `wasp hook`; undefined for another's hook. */
export function runOfWasp({ path, args }: HookDefinition): WaspRun | undefined {
  const [first, second, , name, wasp, command] = args;
  if (second === "-c" && name === GUARD_NAME && command === "hook" && wasp !== undefined)
    return { path: wasp, isGuarded: true };
  return (first === "wasp" || path.endsWith("/wasp")) && second === "hook"
    ? { path, isGuarded: false }
    : undefined;
}

/** Returns the definitions that a runtime loads from these folders: of several with one name, the one in the last folder. */
export function hooksInForce(files: readonly HookFile[], folders: readonly string[]): HookFile[] {
  const byName = new Map<string, HookFile>();
  for (const folder of folders)
    for (const file of files) if (file.folder === folder) byName.set(file.name, file);
  return [...byName.values()];
}
