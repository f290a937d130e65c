// Failure posture: what was changed since wasp made it is kept and reported. An undo that fails ends the run. The entries
// that are left stay in the journal, so that the run can be repeated.

import type { CommandDef } from "citty";
import { flagsOf } from "../config/flags.ts";
import { loadUninstallConfig, type UninstallConfig, UninstallFlagsSchema } from "../config/install/knobs.ts";
import { applicable } from "../install/engine/applicable.ts";
import { lockHost, readJournal } from "../install/engine/journal-file.ts";
import type { Part } from "../install/engine/part.ts";
import { assessEntries, undoEntries } from "../install/engine/undo-entries.ts";
import { type Undo, undoRefusals } from "../install/engine/undo-order.ts";
import { countSwapping, hasAgent, zeroLimits } from "../install/engine/zero-limits.ts";
import { readKubeletFacts } from "../install/kubelet/read.ts";
import { readOwnSwap } from "../install/swap/read-swap.ts";
import { readSwappedCgroups } from "../install/swap/read-swapped-cgroups.ts";
import { removalRefusals } from "../install/swap/removal.ts";
import type { Host } from "../install/target/host.ts";
import { showUndos, undoComplaints, undoneLine, undosAsData } from "./install-format.ts";
import { hostOf } from "./install-host.ts";
import { InstallReporter } from "./install-reporter.ts";
import { runLocallyOrRemotely } from "./on-hosts.ts";

/** Definition of `wasp uninstall` for the help screens. */
export const uninstallCommand: CommandDef = {
  meta: {
    name: "uninstall",
    description: "Undo what wasp install did to a host, and nothing else",
  },
  args: () => flagsOf(UninstallFlagsSchema),
  run: ({ rawArgs }) => runLocallyOrRemotely("uninstall", rawArgs, loadUninstallConfig, uninstall),
};

function uninstall(config: UninstallConfig): number {
  const host = hostOf(config);
  using _lock = config.dryRun ? undefined : lockHost(host);
  const undos = assessEntries(host, config.parts);
  const limits = planLimits(config, host, undos);
  const reporter = reporterOf(config, undos, limits);
  const refusals = [
    ...undoRefusals(readJournal(host), config.parts),
    ...undoComplaints(undos),
    ...swapRefusals(host, undos),
    ...limits.refusals,
  ];
  if (refusals.length > 0) return reporter.refuse(refusals);
  if (config.dryRun) {
    reporter.showPlan();
  } else {
    const errors = undoAll(undos, limits, host, (undo) => reporter.showDone(undoneLine(undo)));
    if (errors.length > 0) return reporter.fail(errors);
  }
  if (undos.length === 0) return reporter.succeed("nothing-to-do");
  return reporter.succeed(config.dryRun ? "planned" : "uninstalled");
}

/** Reasons for not turning swap off. They are checked first, because the script checks after the hook is removed. */
function swapRefusals(host: Host, undos: readonly Undo[]): readonly string[] {
  const isRemoved = undos.some(({ entry, action }) => entry.part === "swap" && action === "run");
  return isRemoved ? removalRefusals(readOwnSwap(host), readSwappedCgroups(host)) : [];
}

/** Plan for the swap limits of running containers. */
interface LimitsPlan {
  /** Number of limits to set to 0; undefined if they are kept. */
  readonly zeroed: number | undefined;
  readonly refusals: readonly string[];
}

function planLimits({ limits }: UninstallConfig, host: Host, undos: readonly Undo[]): LimitsPlan {
  const kept = { zeroed: undefined, refusals: [] };
  const removesSetter = undos.some(({ entry }) => setsLimits(entry.part));
  // A kubelet that limits swap itself set these limits.
  if (limits === "Keep" || !host.isRunning || !removesSetter || readKubeletFacts(host).limitsSwap)
    return kept;
  const refusals = applicable(
    hasAgent(host) &&
      "a wasp agent is running on this host and would set the containers' swap limits again: stop it first, or pass --limits Keep",
  );
  return { zeroed: countSwapping(host), refusals };
}

/** Returns true if a part sets the swap limits of starting containers: the hook, or the NRI plugin of containerd. */
function setsLimits(part: Part): boolean {
  return part === "hook" || part === "containerd";
}

/** Undoes all entries, up to the first that fails, and returns the errors. */
function undoAll(
  undos: readonly Undo[],
  { zeroed }: LimitsPlan,
  host: Host,
  onDone: (undo: Undo) => void,
): readonly string[] {
  const isOfSetter = ({ entry }: Undo) => setsLimits(entry.part) && entry.kind !== "folder";
  const zero = () => (zeroed === undefined ? [] : zeroLimits(host));
  try {
    // Before the hook or plugin is removed, because a repeated run would no longer find it in the journal; and afterwards
    // again, for containers that started meanwhile.
    const problems = zero();
    undoEntries(undos.filter(isOfSetter), host, onDone);
    problems.push(...zero());
    // Only now, so that no container is swapping when the swap is turned off.
    undoEntries(
      undos.filter((undo) => !isOfSetter(undo)),
      host,
      onDone,
    );
    return [...new Set(problems)];
  } catch (error) {
    return [(error as Error).message];
  }
}

function reporterOf(
  { output, dryRun }: UninstallConfig,
  undos: readonly Undo[],
  { zeroed }: LimitsPlan,
): InstallReporter {
  const limits = { containers: zeroed ?? 0, become: zeroed === undefined ? "kept" : "zero" };
  return new InstallReporter({
    output,
    dryRun,
    planText: `${showUndos(undos)}${zeroed === undefined ? "" : showLimits(zeroed)}`,
    planData: { changes: undosAsData(undos), limits },
    summaryOf: (outcome) => SUMMARIES[outcome],
    recovery: "the changes that are left are in the journal: fix the error and run wasp uninstall again",
  });
}

const SUMMARIES: Readonly<Record<string, string>> = {
  uninstalled: "uninstalled",
  "nothing-to-do": "nothing to do: this host has no changes of wasp install",
};

function showLimits(containers: number): string {
  return `set the swap limit of ${containers} ${containers === 1 ? "container" : "containers"} to 0\n`;
}
