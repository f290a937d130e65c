import type { InstallOptions } from "../engine/options.ts";
import { type PartPlan, partPlan } from "../engine/plan.ts";

/** The executable that is running this code. */
export interface RunningExecutable {
  /** True for compiled wasp; false for the interpreter that runs wasp's source. */
  readonly isCompiled: boolean;
}

const MODE = 0o755;

/** Plans the executable: a copy of the running one. */
export function planBinary({ isCompiled }: RunningExecutable, { binaryPath }: InstallOptions): PartPlan {
  const refusals = isCompiled
    ? []
    : ["wasp install copies the running executable, and this is wasp's source: run the compiled executable"];
  return partPlan("binary", {
    steps: [{ kind: "program", part: "binary", path: binaryPath, mode: MODE, why: "the hook runs it" }],
    refusals,
  });
}
