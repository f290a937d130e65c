// `npm run hook-definition`: writes the guard of hooks.d/guard.sh into hooks.d/wasp-swap.json, the definition of the hook.
import { readFileSync, writeFileSync } from "node:fs";
import { ROOT } from "../node/binary.ts";

const GUARD = `${ROOT}/hooks.d/guard.sh`;
const DEFINITION = `${ROOT}/hooks.d/wasp-swap.json`;

/** Returns the script of hooks.d/guard.sh without comments, blank lines and indentation. */
export function guardScript(): string {
  const lines = readFileSync(GUARD, "utf8").split("\n");
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}

if (import.meta.main) {
  const definition = JSON.parse(readFileSync(DEFINITION, "utf8"));
  definition.hook.args[2] = guardScript();
  writeFileSync(DEFINITION, `${JSON.stringify(definition, null, 2)}\n`);
}
