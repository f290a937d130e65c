import definition from "../../../hooks.d/wasp-swap.json" with { type: "text" };
import type { CrioFacts } from "../crio/plan.ts";
import type { Host } from "../target/host.ts";
import { isExecutable } from "../target/read-host.ts";
import type { HookFacts } from "./plan.ts";

/** Reads what has to be known before the hook is installed for a host's CRI-O. */
export function readHookFacts(host: Host, binaryPath: string, crio: CrioFacts): HookFacts {
  return { definition: definition as unknown as string, isBinaryThere: isExecutable(host, binaryPath), crio };
}
