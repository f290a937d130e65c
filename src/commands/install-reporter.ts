import { consola } from "consola";
import { EXIT_FAILURE, EXIT_SUCCESS } from "./exit-status.ts";
import { print } from "./print.ts";

type SuccessOutcome = "planned" | "nothing-to-do" | "installed" | "uninstalled";

/** Outcome of a run of `wasp install` or `wasp uninstall`, as its JSON document has it. */
export type InstallOutcome = SuccessOutcome | "refused" | "failed";

/** Contents of the report of one run. */
export interface InstallReport {
  readonly output: "text" | "json";
  readonly dryRun: boolean;
  /** The planned changes as text. */
  readonly planText: string;
  /** The planned changes as members of the JSON document. */
  readonly planData: object;
  /** Last line of the text after a successful run; undefined for none. */
  readonly summaryOf: (outcome: SuccessOutcome) => string | undefined;
  /** Last error after a failed run: the state of the host, and the next command to run. */
  readonly recovery: string;
}

/**
 * Reports a run of `wasp install` or `wasp uninstall`: as text while it runs, or as one JSON document at its end. The
 * methods that end a run return the exit status.
 */
export class InstallReporter {
  readonly #report: InstallReport;

  constructor(report: InstallReport) {
    this.#report = report;
  }

  /** Prints the planned changes. */
  showPlan(): void {
    this.#print(this.#report.planText);
  }

  /** Prints a line about a completed change. */
  showDone(line: string): void {
    this.#print(`${line}\n`);
  }

  /** Reports success. */
  succeed(outcome: SuccessOutcome): number {
    const summary = this.#report.summaryOf(outcome);
    if (summary !== undefined) this.#print(`${summary}\n`);
    this.#printDocument(outcome, []);
    return EXIT_SUCCESS;
  }

  /** Reports that nothing was changed, with the reasons. */
  refuse(refusals: readonly string[]): number {
    return this.#complain("refused", refusals, "nothing was changed");
  }

  /** Reports that some changes failed. */
  fail(errors: readonly string[]): number {
    return this.#complain("failed", errors, this.#report.recovery);
  }

  #complain(outcome: InstallOutcome, errors: readonly string[], consequence: string): number {
    this.#printDocument(outcome, errors);
    for (const error of errors) consola.error(error);
    consola.error(consequence);
    return EXIT_FAILURE;
  }

  #print(text: string): void {
    if (this.#report.output === "text") print(text);
  }

  #printDocument(outcome: InstallOutcome, errors: readonly string[]): void {
    const { output, dryRun, planData } = this.#report;
    if (output === "json") print(`${JSON.stringify({ outcome, dryRun, ...planData, errors }, null, 2)}\n`);
  }
}
