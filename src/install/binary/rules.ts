import { install } from "../finding/remedy.ts";
import { checksOn, type Verdict } from "../finding/rule.ts";
import type { KubeletCheckFacts } from "../kubelet/check-facts.ts";
import { dangersOf } from "../target/owned-path.ts";
import type { BinaryCheckFacts } from "./check-facts.ts";

const check = checksOn<BinaryCheckFacts & KubeletCheckFacts>();

/** Requires an installed executable that runs. */
export const binary = check({
  id: "binary",
  needs: ["binary", "runtime"],
  right: "the executable that the hook runs is installed, and runs",
  judge: ({ binary: { path, owned, run }, runtime }): Verdict | undefined => {
    if (owned.length === 0 && runtime === "containerd") return undefined;
    if (owned.length === 0)
      return { severity: "error", found: `${path} is not there`, remedy: install("binary") };
    if (run === undefined && dangersOf(owned).length > 0)
      return {
        severity: "unknown",
        found: `${path} was not run: a user other than root may change it`,
        remedy: install("binary"),
      };
    if (run === undefined) return { severity: "ok", found: `${path} is installed` };
    return "version" in run
      ? { severity: "ok", found: `${path}: ${run.version}` }
      : { severity: "error", found: `${path} does not run: ${run.failure}`, remedy: install("binary") };
  },
});
