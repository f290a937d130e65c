import type { OwnedPath } from "../target/owned-path.ts";
import type { HookDefinition } from "./definition.ts";
import { HOOK_FILE } from "./plan.ts";

/** A file that defines a hook. */
export interface HookFile {
  readonly folder: string;
  readonly name: string;
  /** What it says, or each thing for which a runtime refuses it. */
  readonly definition: HookDefinition | { readonly complaints: readonly string[] };
  /** Whether the executable is there; a runtime leaves a hook out whose executable is not, and says nothing. */
  readonly hasExecutable: boolean;
  /** It and all folders above it, from the root on. */
  readonly owned: readonly OwnedPath[];
}

/** The path of a hook's definition. */
export function pathOf({ folder, name }: HookFile): string {
  return `${folder}/${name}`;
}

/** Whether a file defines the hook that runs wasp, or should. */
export function isWaspHook({ name, definition }: HookFile): boolean {
  return name === HOOK_FILE || ("path" in definition && runsWasp(definition));
}

/** Whether a hook runs `wasp hook`. */
export function runsWasp({ path, args }: HookDefinition): boolean {
  return (args[0] === "wasp" || path.endsWith("/wasp")) && args[1] === "hook";
}

/** The definitions that a runtime takes of these folders: of several of one name that in the last folder. */
export function hooksInForce(files: readonly HookFile[], folders: readonly string[]): HookFile[] {
  const byName = new Map<string, HookFile>();
  for (const folder of folders)
    for (const file of files) if (file.folder === folder) byName.set(file.name, file);
  return [...byName.values()];
}
