import type { InstallOptions } from "../engine/options.ts";
import type { PartPlan } from "../engine/plan.ts";

/** What there is to know of the executable that runs. */
export interface RunningExecutable {
  /** Whether it is wasp, compiled; otherwise it is the interpreter that runs wasp's source. */
  readonly isCompiled: boolean;
}

const MODE = 0o755;

/** Plans the executable: a copy of the one that runs. */
export function planBinary({ isCompiled }: RunningExecutable, { binaryPath }: InstallOptions): PartPlan {
  const refusals = isCompiled
    ? []
    : [
        "wasp install copies the executable that runs, and this is wasp's source: run the compiled executable",
      ];
  return {
    part: "binary",
    steps: [{ kind: "program", part: "binary", path: binaryPath, mode: MODE, why: "the hook runs it" }],
    refusals,
    notes: [],
  };
}
