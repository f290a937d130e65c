import { dangersOf } from "../binary-facts.ts";
import { check, type Verdict } from "../rule.ts";
import { install } from "./remedy.ts";

/** The executable that the hook runs is there and runs. */
export const binary = check({
  id: "binary",
  needs: ["binary"],
  right: "the executable that the hook runs is there, and runs",
  judge: ({ binary: { path, owned, run } }): Verdict => {
    if (owned.length === 0)
      return { severity: "error", found: `${path} is not there`, remedy: install("binary") };
    if (run === undefined && dangersOf(owned).length > 0)
      return {
        severity: "unknown",
        found: `${path} was not run: others than root may change it`,
        remedy: install("binary"),
      };
    if (run === undefined) return { severity: "ok", found: `${path} is there` };
    return "version" in run
      ? { severity: "ok", found: `${path}: ${run.version}` }
      : { severity: "error", found: `${path} does not run: ${run.failure}`, remedy: install("binary") };
  },
});

/** Nobody but root decides what the runtime runs as root. */
export const binaryOwner = check({
  id: "binary-owner",
  needs: ["binary"],
  right: "the executable and all folders above it are owned by root, and writable by nobody else",
  judge: ({ binary: { path, owned } }): Verdict | undefined => {
    if (owned.length === 0) return undefined;
    const dangers = dangersOf(owned);
    return dangers.length === 0
      ? { severity: "ok", found: `${path} is root's alone` }
      : {
          severity: "error",
          found: dangers.join("; "),
          remedy: `chown root:root and chmod go-w for ${owned
            .filter((one) => dangersOf([one]).length > 0)
            .map((one) => one.path)
            .join(" ")}`,
        };
  },
});
