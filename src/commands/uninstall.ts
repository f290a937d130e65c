// Failure posture: what is no longer as wasp made it stays, and is told of. What cannot be undone ends the run with the
// rest in the journal: it can be repeated.
import { writeSync } from "node:fs";
import type { CommandDef } from "citty";
import { consola } from "consola";
import { flagsOf } from "../config/flags.ts";
import { loadUninstallConfig, type UninstallConfig, UninstallFlagsSchema } from "../config/install/knobs.ts";
import { lockHost, readJournal } from "../install/engine/journal-file.ts";
import type { Part } from "../install/engine/part.ts";
import { judgeMade, undoMade } from "../install/engine/undo-made.ts";
import { type Undo, undoRefusals } from "../install/engine/undo-order.ts";
import { countSwapping, hasAgent, zeroLimits } from "../install/engine/zero-limits.ts";
import { readKubeletFacts } from "../install/kubelet/read.ts";
import { readOwnSwap } from "../install/swap/read-swap.ts";
import { readSwappedCgroups } from "../install/swap/read-swapped-cgroups.ts";
import { removalRefusals } from "../install/swap/removal.ts";
import type { Host } from "../install/target/host.ts";
import { EXIT_FAILURE, EXIT_SUCCESS } from "./exit-status.ts";
import { hostOf } from "./install.ts";
import { showUndos, undoComplaints, undoneLine, undosAsData } from "./install-report.ts";
import { runHereOrElsewhere } from "./on-hosts.ts";

const STDOUT = 1;

/** `wasp uninstall` as the usage screens show it. */
export const uninstallCommand: CommandDef = {
  meta: {
    name: "uninstall",
    description: "Undo what wasp install did to a host, and nothing else",
  },
  args: () => flagsOf(UninstallFlagsSchema),
  run: ({ rawArgs }) => runHereOrElsewhere("uninstall", rawArgs, loadUninstallConfig, uninstall),
};

function uninstall(config: UninstallConfig): number {
  const host = hostOf(config);
  using _lock = config.dryRun ? undefined : lockHost(host);
  const undos = judgeMade(host, config.parts);
  const limits = judgeLimits(config, host, undos);
  const report = reporter(config, undos, limits);
  const refusals = [
    ...undoRefusals(readJournal(host), config.parts),
    ...undoComplaints(undos),
    ...swapRefusals(host, undos),
    ...limits.refusals,
  ];
  if (refusals.length > 0) return report.refuse(refusals);
  if (config.dryRun) {
    report.show();
  } else {
    const errors = undoAll(undos, limits, host, report.done);
    if (errors.length > 0) return report.fail(errors);
  }
  if (undos.length === 0) return report.end("nothing-to-do");
  return report.end(config.dryRun ? "planned" : "uninstalled");
}

/** Before anything is undone: the script would refuse only once the hook is gone. */
function swapRefusals(host: Host, undos: readonly Undo[]): readonly string[] {
  const isGoing = undos.some(({ made, action }) => made.part === "swap" && action === "run");
  return isGoing ? removalRefusals(readOwnSwap(host), readSwappedCgroups(host)) : [];
}

/** What is to become of the swap limits of the containers that run. */
interface Limits {
  /** How many are set to 0; undefined where they are kept. */
  readonly zeroed: number | undefined;
  readonly refusals: readonly string[];
}

function judgeLimits({ limits }: UninstallConfig, host: Host, undos: readonly Undo[]): Limits {
  const kept = { zeroed: undefined, refusals: [] };
  const isGiverGoing = undos.some(({ made }) => isGiver(made.part));
  // A kubelet that limits swap itself gave the containers what they have.
  if (limits === "Keep" || !host.isRunning || !isGiverGoing || readKubeletFacts(host).limitsSwap) return kept;
  const refusals = hasAgent(host)
    ? [
        "a wasp agent runs on this host, and would set the containers' swap limits again: end it first, or leave them with --limits Keep",
      ]
    : [];
  return { zeroed: countSwapping(host), refusals };
}

/** Whether a part gives containers their swap limits as they start: the hook, or the plugin of containerd. */
function isGiver(part: Part): boolean {
  return part === "hook" || part === "containerd";
}

/** Undoes everything, up to the first that cannot be undone, and tells what went wrong. */
function undoAll(
  undos: readonly Undo[],
  { zeroed }: Limits,
  host: Host,
  onDone: (undo: Undo) => void,
): readonly string[] {
  const isOfGiver = ({ made }: Undo) => isGiver(made.part) && made.kind !== "folder";
  const zero = () => (zeroed === undefined ? [] : zeroLimits(host));
  try {
    // Before the hook, or the plugin, goes, as a run that is repeated no longer knows of it; and for what started until then.
    const problems = zero();
    undoMade(undos.filter(isOfGiver), host, onDone);
    problems.push(...zero());
    // No container swaps any more when the swap is taken away.
    undoMade(
      undos.filter((undo) => !isOfGiver(undo)),
      host,
      onDone,
    );
    return [...new Set(problems)];
  } catch (error) {
    return [(error as Error).message];
  }
}

type Outcome = "planned" | "nothing-to-do" | "uninstalled" | "refused" | "failed";

/** Tells of a run as it goes, or for programs in one document at its end; the ends give the exit status. */
interface Reporter {
  show(): void;
  done(undo: Undo): void;
  end(outcome: Outcome): number;
  refuse(refusals: readonly string[]): number;
  fail(errors: readonly string[]): number;
}

function reporter({ output, dryRun }: UninstallConfig, undos: readonly Undo[], { zeroed }: Limits): Reporter {
  const isJson = output === "json";
  const print = (text: string) => void writeSync(STDOUT, text);
  const document = (outcome: Outcome, errors: readonly string[]) => {
    const limits = { containers: zeroed ?? 0, become: zeroed === undefined ? "kept" : "zero" };
    print(`${JSON.stringify({ outcome, dryRun, changes: undosAsData(undos), limits, errors }, null, 2)}\n`);
  };
  const complain = (outcome: Outcome, errors: readonly string[], consequence: string) => {
    if (isJson) document(outcome, errors);
    for (const error of errors) consola.error(error);
    consola.error(consequence);
    return EXIT_FAILURE;
  };
  return {
    show: () => isJson || print(`${showUndos(undos)}${zeroed === undefined ? "" : showLimits(zeroed)}`),
    done: (undo) => isJson || print(`${undoneLine(undo)}\n`),
    end: (outcome) => {
      if (isJson) document(outcome, []);
      else if (outcome === "uninstalled") print("uninstalled\n");
      else if (outcome === "nothing-to-do")
        print("nothing to do: wasp install made nothing here that is left\n");
      return EXIT_SUCCESS;
    },
    refuse: (refusals) => complain("refused", refusals, "nothing was changed"),
    fail: (errors) =>
      complain("failed", errors, "what is left is in the journal: repeat wasp uninstall once that is mended"),
  };
}

function showLimits(containers: number): string {
  return `set the swap limit of ${containers} ${containers === 1 ? "container" : "containers"} to 0\n`;
}
