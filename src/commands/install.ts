// Failure posture: nothing is changed unless all of it can be planned. A change that fails ends the run with what was
// made so far in the journal: it can be repeated, and undone.
import { writeSync } from "node:fs";
import type { CommandDef } from "citty";
import { consola } from "consola";
import { flagsOf } from "../config/flags.ts";
import {
  type InstallConfig,
  InstallFlagsSchema,
  loadInstallConfig,
  type Target,
} from "../config/install/knobs.ts";
import { applyChanges, comparePlan } from "../install/engine/apply.ts";
import { type Change, type Comparison, isDoing } from "../install/engine/compare.ts";
import { lockHost } from "../install/engine/journal-file.ts";
import type { Plan } from "../install/engine/plan.ts";
import { judgeOutdated, undoMade } from "../install/engine/undo-made.ts";
import type { Undo } from "../install/engine/undo-order.ts";
import { planParts } from "../install/plan-parts.ts";
import { enteredHost, type Host, imageHost, runningExecutable, runningHost } from "../install/target/host.ts";
import { EXIT_FAILURE, EXIT_SUCCESS } from "./exit-status.ts";
import { showCheck } from "./install-check.ts";
import { printManifests } from "./install-print.ts";
import { planAsData, showPlan, subjectOf, undoComplaints, undoneLine } from "./install-report.ts";
import { runHereOrElsewhere } from "./on-hosts.ts";

const STDOUT = 1;

/** `wasp install` as the usage screens show it. */
export const installCommand: CommandDef = {
  meta: {
    name: "install",
    description: "Make a host ready: the binary and the hook, and what the node needs to live with swap",
  },
  args: () => flagsOf(InstallFlagsSchema),
  run: ({ rawArgs }) => runInstall(rawArgs),
};

function runInstall(argv: readonly string[]): Promise<number> {
  return runHereOrElsewhere("install", argv, loadInstallConfig, (config) =>
    config.print === undefined ? install(config) : printManifests(config.print, config, argv),
  );
}

/** The host that a command is for; throws unless it may be changed. */
export function hostOf({ fsroot, chroot, isImage, dryRun }: Target): Host {
  if (!dryRun && process.getuid?.() !== 0) throw new Error("only root can change a host: run this as root");
  if (chroot !== undefined) return enteredHost(chroot, runningExecutable());
  return isImage ? imageHost(fsroot, runningExecutable()) : runningHost(fsroot, runningExecutable());
}

function install(config: InstallConfig): number {
  if (config.check) return showCheck(hostOf({ ...config, dryRun: true }), config.output);
  const host = hostOf(config);
  using _lock = config.dryRun ? undefined : lockHost(host);
  const compare = () => compareHost(host, planParts(host, config.options, config.parts));
  const comparison = compare();
  const report = reporter(config, comparison);
  if (comparison.refusals.length > 0) return report.refuse(comparison.refusals);
  report.show();
  if (config.dryRun) return report.end("planned");
  if (countOf(comparison) === 0) return report.end("nothing-to-do");
  try {
    applyChanges(comparison.changes, host, report.done);
    // Last, so that there is no moment without the old and the new.
    undoMade(comparison.outdated, host, report.undone);
  } catch (error) {
    return report.fail([(error as Error).message]);
  }
  const wrong = notAsPlanned(compare());
  return wrong.length > 0 ? report.fail(wrong) : report.end("installed");
}

/** A plan, and what it does to a host. */
interface HostComparison extends Comparison {
  readonly plan: Plan;
  /** What an earlier run made, and the plan no longer has. */
  readonly outdated: readonly Undo[];
}

function compareHost(host: Host, plan: Plan): HostComparison {
  const { changes, refusals } = comparePlan(plan, host);
  const outdated = judgeOutdated(host, plan);
  return { plan, changes, outdated, refusals: [...refusals, ...undoComplaints(outdated)] };
}

function countOf({ changes, outdated }: HostComparison): number {
  return changes.filter(isDoing).length + outdated.length;
}

function notAsPlanned({ changes, refusals }: HostComparison): readonly string[] {
  const again = changes.filter(isDoing).map(({ action, step }) => `${action} ${subjectOf(step)}`);
  return [...refusals, ...again.map((change) => `once all is done, there is still to do: ${change}`)];
}

type Outcome = "planned" | "nothing-to-do" | "installed" | "refused" | "failed";

/** Tells of a run as it goes, or for programs in one document at its end; the ends give the exit status. */
interface Reporter {
  show(): void;
  done(change: Change): void;
  undone(undo: Undo): void;
  end(outcome: Outcome): number;
  refuse(refusals: readonly string[]): number;
  fail(errors: readonly string[]): number;
}

function reporter({ output, dryRun, parts }: InstallConfig, comparison: HostComparison): Reporter {
  const { plan, outdated } = comparison;
  const print = (text: string) => void writeSync(STDOUT, text);
  const document = (outcome: Outcome, errors: readonly string[]) =>
    print(
      `${JSON.stringify({ outcome, dryRun, ...planAsData(plan, comparison, outdated), errors }, null, 2)}\n`,
    );
  const isJson = output === "json";
  return {
    show: () => isJson || print(showPlan(plan, comparison, outdated)),
    done: (change) => isJson || print(`${DONE[change.action]} ${subjectOf(change.step)}\n`),
    undone: (undo) => isJson || print(`${undoneLine(undo)}\n`),
    end: (outcome) => {
      if (isJson) document(outcome, []);
      else if (outcome === "installed")
        print(`installed: ${counted(countOf(comparison))}, read back and as planned\n`);
      else if (outcome === "nothing-to-do" || countOf(comparison) === 0)
        print(`nothing to do: ${parts.join(", ")}: all as planned\n`);
      return EXIT_SUCCESS;
    },
    refuse: (refusals) => {
      if (isJson) document("refused", refusals);
      for (const refusal of refusals) consola.error(refusal);
      consola.error("nothing was changed");
      return EXIT_FAILURE;
    },
    fail: (errors) => {
      if (isJson) document("failed", errors);
      for (const error of errors) consola.error(error);
      consola.error(
        "what was made is in the journal: repeat wasp install once that is mended, or run wasp uninstall",
      );
      return EXIT_FAILURE;
    },
  };
}

const DONE: Readonly<Record<Change["action"], string>> = {
  create: "created",
  replace: "replaced",
  run: "ran",
  defer: "left to the start of the node:",
  unchanged: "left",
};

function counted(changes: number): string {
  return changes === 1 ? "1 change" : `${changes} changes`;
}
