import { checksOn, ok, warning } from "../../finding/rule.ts";
import { pathOf } from "../../hook/files.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

const WASP_AGENT_HOOK = "swap-for-burstable.json";

/** Requires that wasp-agent is removed: it removes every limit when a container starts. */
export const waspAgent = check({
  id: "wasp-agent",
  needs: ["hookFiles", "hookFolders"],
  right: `the hook of wasp-agent, ${WASP_AGENT_HOOK}, is removed: it gives each Burstable container unlimited swap`,
  judge: ({ hookFiles, hookFolders }) => {
    const left = hookFiles.filter(({ name }) => name === WASP_AGENT_HOOK);
    if (left.length === 0) return ok("no file of wasp-agent");
    const remedy = `delete its DaemonSet, then: rm ${left.map(pathOf).join(" ")}`;
    const isLoaded = left.some(({ folder }) => hookFolders.includes(folder));
    return { severity: isLoaded ? "error" : "warning", found: left.map(pathOf).join(", "), remedy };
  },
});

/** Requires that systemd-oomd does not kill pods for their use of swap. */
export const systemdOomd = check({
  id: "systemd-oomd",
  needs: ["oomd"],
  right: "systemd-oomd does not kill pods because swap is nearly used up",
  judge: ({ oomd }) => {
    if (oomd === undefined) return ok("systemd-oomd is not running");
    if (oomd.killsForSwap.length === 0)
      return ok("systemd-oomd is running, and no slice of pods has ManagedOOMSwap=kill");
    return warning(
      oomd.killsForSwap.map(({ unit, path }) => `ManagedOOMSwap=kill for ${unit} in ${path}`).join("; "),
      // Merely disabled, it would be started with the slice.
      "ManagedOOMSwap=auto in a drop-in of that slice, or systemctl mask --now systemd-oomd",
    );
  },
});

/** Requires that earlyoom does not kill pods for their use of swap. */
export const earlyoom = check({
  id: "earlyoom",
  needs: ["earlyoomPids"],
  right: "earlyoom is not running: it kills a process of its own choice when memory and swap are low",
  judge: ({ earlyoomPids }) =>
    earlyoomPids.length === 0
      ? ok("earlyoom is not running")
      : warning(`earlyoom runs: pid ${earlyoomPids.join(", ")}`, "systemctl disable --now earlyoom"),
});
