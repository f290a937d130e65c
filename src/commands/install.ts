// Failure posture: nothing is changed unless everything can be planned. A failed change ends the run. The changes made
// until then are in the journal, so that the run can be repeated or undone.
import type { CommandDef } from "citty";
import { flagsOf } from "../config/flags.ts";
import { type InstallConfig, InstallFlagsSchema, loadInstallConfig } from "../config/install/knobs.ts";
import { applyChanges, comparePlan } from "../install/engine/apply.ts";
import { type Change, type Comparison, hasEffect } from "../install/engine/compare.ts";
import { lockHost } from "../install/engine/journal-file.ts";
import type { Plan } from "../install/engine/plan.ts";
import { assessOutdated, undoEntries } from "../install/engine/undo-entries.ts";
import type { Undo } from "../install/engine/undo-order.ts";
import { planParts } from "../install/plan-parts.ts";
import type { Host } from "../install/target/host.ts";
import { showCheck } from "./install-check.ts";
import { planAsData, showPlan, subjectOf, undoComplaints, undoneLine } from "./install-format.ts";
import { hostOf } from "./install-host.ts";
import { printManifests } from "./install-print.ts";
import { InstallReporter } from "./install-reporter.ts";
import { runLocallyOrRemotely } from "./on-hosts.ts";

/** Definition of `wasp install` for the help screens. */
export const installCommand: CommandDef = {
  meta: {
    name: "install",
    description: "Make a host ready: the binary and the hook, and what the node needs to live with swap",
  },
  args: () => flagsOf(InstallFlagsSchema),
  run: ({ rawArgs }) => runInstall(rawArgs),
};

function runInstall(argv: readonly string[]): Promise<number> {
  return runLocallyOrRemotely("install", argv, loadInstallConfig, (config) =>
    config.print === undefined ? install(config) : printManifests(config.print, config, argv),
  );
}

function install(config: InstallConfig): number {
  if (config.check) return showCheck(hostOf({ ...config, dryRun: true }), config.output);
  const host = hostOf(config);
  using _lock = config.dryRun ? undefined : lockHost(host);
  const compare = () => compareHost(host, planParts(host, config.options, config.parts));
  const comparison = compare();
  const reporter = reporterOf(config, comparison);
  if (comparison.refusals.length > 0) return reporter.refuse(comparison.refusals);
  reporter.showPlan();
  if (config.dryRun) return reporter.succeed("planned");
  if (countOf(comparison) === 0) return reporter.succeed("nothing-to-do");
  try {
    applyChanges(comparison.changes, host, (change) => reporter.showDone(doneLine(change)));
    // Last, so that at every moment either the old or the new is in place.
    undoEntries(comparison.outdated, host, (undo) => reporter.showDone(undoneLine(undo)));
  } catch (error) {
    return reporter.fail([(error as Error).message]);
  }
  const wrong = notAsPlanned(compare());
  return wrong.length > 0 ? reporter.fail(wrong) : reporter.succeed("installed");
}

/** A plan and its effect on a host. */
interface HostComparison extends Comparison {
  readonly plan: Plan;
  /** Changes of an earlier run that the plan no longer contains. */
  readonly outdated: readonly Undo[];
}

function compareHost(host: Host, plan: Plan): HostComparison {
  const { changes, refusals } = comparePlan(plan, host);
  const outdated = assessOutdated(host, plan);
  return { plan, changes, outdated, refusals: [...refusals, ...undoComplaints(outdated)] };
}

function countOf({ changes, outdated }: HostComparison): number {
  return changes.filter(hasEffect).length + outdated.length;
}

function notAsPlanned({ changes, refusals }: HostComparison): readonly string[] {
  const again = changes.filter(hasEffect).map(({ action, step }) => `${action} ${subjectOf(step)}`);
  return [...refusals, ...again.map((change) => `not as planned after the run: ${change}`)];
}

function reporterOf({ output, dryRun, parts }: InstallConfig, comparison: HostComparison): InstallReporter {
  const { plan, outdated } = comparison;
  const count = countOf(comparison);
  return new InstallReporter({
    output,
    dryRun,
    planText: showPlan(plan, comparison, outdated),
    planData: planAsData(plan, comparison, outdated),
    summaryOf: (outcome) => {
      if (outcome === "installed") return `installed: ${counted(count)}, read back and as planned`;
      return count === 0 ? `nothing to do: ${parts.join(", ")}: all as planned` : undefined;
    },
    recovery:
      "the changes made so far are in the journal: fix the error and run wasp install again, or run wasp uninstall",
  });
}

function doneLine({ action, step }: Change): string {
  return `${DONE_WORDS[action]} ${subjectOf(step)}`;
}

const DONE_WORDS: Readonly<Record<Change["action"], string>> = {
  create: "created",
  replace: "replaced",
  run: "ran",
  defer: "deferred to the first boot of the node:",
  unchanged: "left",
};

function counted(changes: number): string {
  return changes === 1 ? "1 change" : `${changes} changes`;
}
