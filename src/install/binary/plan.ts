import { applicable } from "../engine/applicable.ts";
import type { InstallOptions } from "../engine/options.ts";
import { type PartPlan, partPlan } from "../engine/plan.ts";

/** Plans the executable: a copy of the running one, unless that is the interpreter of wasp's source. */
export function planBinary(isCompiled: boolean, { binaryPath }: InstallOptions): PartPlan {
  return partPlan("binary", {
    steps: [{ kind: "program", part: "binary", path: binaryPath, mode: 0o755, why: "the hook runs it" }],
    refusals: applicable(
      !isCompiled &&
        "wasp install copies the running executable, and this is wasp's source: run the compiled executable",
    ),
  });
}
