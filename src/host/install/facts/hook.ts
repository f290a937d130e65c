import definition from "../../../../hooks.d/wasp-swap.json" with { type: "text" };
import type { CrioFacts } from "../../../install/crio/plan.ts";
import type { HookFacts } from "../../../policy/install/hook.ts";
import type { Host } from "../host.ts";
import { isExecutable } from "../read-host.ts";

/** Reads what has to be known before the hook is installed for a host's CRI-O. */
export function readHookFacts(host: Host, binaryPath: string, crio: CrioFacts): HookFacts {
  return { definition: definition as unknown as string, isBinaryThere: isExecutable(host, binaryPath), crio };
}
