import { checksOn, type Verdict } from "../../finding/rule.ts";
import { pathOf } from "../../hook/files.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

const WASP_AGENT_HOOK = "swap-for-burstable.json";

/** wasp-agent, which lifts every limit when a container starts, is gone. */
export const waspAgent = check({
  id: "wasp-agent",
  needs: ["hookFiles", "hookFolders"],
  right: `the hook of wasp-agent, ${WASP_AGENT_HOOK}, is gone: it gives each Burstable container unlimited swap`,
  judge: ({ hookFiles, hookFolders }): Verdict => {
    const left = hookFiles.filter(({ name }) => name === WASP_AGENT_HOOK);
    if (left.length === 0) return { severity: "ok", found: "no file of wasp-agent" };
    const remedy = `delete its DaemonSet, then: rm ${left.map(pathOf).join(" ")}`;
    const isLoaded = left.some(({ folder }) => hookFolders.includes(folder));
    return { severity: isLoaded ? "error" : "warning", found: left.map(pathOf).join(", "), remedy };
  },
});

/** systemd-oomd does not kill pods for their use of swap. */
export const systemdOomd = check({
  id: "systemd-oomd",
  needs: ["oomd"],
  right: "systemd-oomd does not kill pods because swap is nearly used up",
  judge: ({ oomd }): Verdict => {
    if (oomd === undefined) return { severity: "ok", found: "systemd-oomd does not run" };
    if (oomd.killsForSwap.length === 0)
      return { severity: "ok", found: "systemd-oomd runs, and is told of no slice of pods" };
    return {
      severity: "warning",
      found: oomd.killsForSwap
        .map(({ unit, path }) => `ManagedOOMSwap=kill for ${unit} in ${path}`)
        .join("; "),
      // Disabled, it would be started with the slice.
      remedy: "ManagedOOMSwap=auto in a drop-in of that slice, or systemctl mask --now systemd-oomd",
    };
  },
});

/** earlyoom does not kill pods for their use of swap. */
export const earlyoom = check({
  id: "earlyoom",
  needs: ["earlyoomPids"],
  right: "earlyoom, which kills whom it chooses when memory and swap are low, does not run",
  judge: ({ earlyoomPids }): Verdict =>
    earlyoomPids.length === 0
      ? { severity: "ok", found: "earlyoom does not run" }
      : {
          severity: "warning",
          found: `earlyoom runs: pid ${earlyoomPids.join(", ")}`,
          remedy: "systemctl disable --now earlyoom",
        },
});
