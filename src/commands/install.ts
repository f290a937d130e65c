// Failure posture: nothing is changed unless all of it can be planned. A change that fails ends the run with what was
// made so far in the journal: it can be repeated, and undone.
import { writeSync } from "node:fs";
import type { CommandDef } from "citty";
import { consola } from "consola";
import { flagsOf } from "../config/flags.ts";
import { type InstallConfig, InstallFlagsSchema, loadInstallConfig, type Target } from "../config/install.ts";
import { applyChanges, comparePlan } from "../host/install/apply.ts";
import { type Host, imageHost, runningHost, runningProgram } from "../host/install/host.ts";
import { lockHost } from "../host/install/journal-file.ts";
import { planParts } from "../host/install/plan-parts.ts";
import { type Change, type Comparison, isDoing } from "../policy/install/change.ts";
import type { Plan } from "../policy/install/plan.ts";
import { showCheck } from "./install-check.ts";
import { planAsData, showPlan, subjectOf } from "./install-report.ts";
import { EXIT_FAILURE, EXIT_USAGE, loadOrComplain } from "./load-or-complain.ts";

const STDOUT = 1;

/** `wasp install` as the usage screens show it. */
export const installCommand: CommandDef = {
  meta: {
    name: "install",
    description: "Make a host ready: the binary and the hook, and what the node needs to live with swap",
  },
  args: () => flagsOf(InstallFlagsSchema),
};

/** Runs `wasp install` with the flags of its command line, and tells the exit status. */
export function runInstall(argv: readonly string[]): number {
  const config = loadOrComplain(() => loadInstallConfig(argv));
  if (config === undefined) return EXIT_USAGE;
  try {
    return install(config);
  } catch (error) {
    consola.error((error as Error).message);
    return EXIT_FAILURE;
  }
}

/** The host that a command is for; throws unless it may be changed. */
export function hostOf({ fsroot, isImage, dryRun }: Target): Host {
  if (!dryRun && process.getuid?.() !== 0) throw new Error("only root can change a host: run this as root");
  return isImage ? imageHost(fsroot, runningProgram()) : runningHost(fsroot, runningProgram());
}

function install(config: InstallConfig): number {
  if (config.check) return showCheck(hostOf({ ...config, dryRun: true }), config.output);
  const host = hostOf(config);
  using _lock = config.dryRun ? undefined : lockHost(host);
  const plan = () => planParts(host, config.options, config.parts);
  const planned = plan();
  const comparison = comparePlan(planned, host);
  const report = reporter(config, planned, comparison);
  if (comparison.refusals.length > 0) return report.refuse(comparison.refusals);
  const doing = comparison.changes.filter(isDoing);
  report.show();
  if (config.dryRun) return report.end("planned", 0);
  if (doing.length === 0) return report.end("nothing-to-do", 0);
  try {
    applyChanges(comparison.changes, host, (change, is) => is === "done" && report.done(change));
  } catch (error) {
    return report.fail([(error as Error).message]);
  }
  const left = comparePlan(plan(), host);
  const wrong = [...left.refusals, ...left.changes.filter(isDoing).map(notAsPlanned)];
  return wrong.length > 0 ? report.fail(wrong) : report.end("installed", doing.length);
}

function notAsPlanned({ action, step }: Change): string {
  return `${subjectOf(step)} is not as planned once all is done: it would be to ${action} again`;
}

type Outcome = "planned" | "nothing-to-do" | "installed" | "refused" | "failed";

/** Tells of a run as it goes, or for programs in one document at its end; the ends give the exit status. */
interface Reporter {
  show(): void;
  done(change: Change): void;
  end(outcome: Outcome, changes: number): number;
  refuse(refusals: readonly string[]): number;
  fail(errors: readonly string[]): number;
}

function reporter({ output, dryRun, parts }: InstallConfig, plan: Plan, comparison: Comparison): Reporter {
  const print = (text: string) => void writeSync(STDOUT, text);
  const document = (outcome: Outcome, errors: readonly string[]) =>
    print(`${JSON.stringify({ outcome, dryRun, parts: planAsData(plan, comparison), errors }, null, 2)}\n`);
  const isJson = output === "json";
  return {
    show: () => isJson || print(showPlan(plan, comparison)),
    done: (change) => isJson || print(`${DONE[change.action]} ${subjectOf(change.step)}\n`),
    end: (outcome, changes) => {
      if (isJson) document(outcome, []);
      else if (outcome === "installed") print(`installed: ${counted(changes)}, read back and as planned\n`);
      else if (outcome === "nothing-to-do" || !comparison.changes.some(isDoing))
        print(`nothing to do: ${parts.join(", ")}: all as planned\n`);
      return 0;
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
  unchanged: "left",
};

function counted(changes: number): string {
  return changes === 1 ? "1 change" : `${changes} changes`;
}
