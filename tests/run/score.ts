/** Counts of what passed and failed, and the lines that report them. */
export class Score {
  passed = 0;
  failed = 0;
  readonly #failedNames: string[] = [];
  readonly #print: (text: string) => void;

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  /** Counts a check that passes or fails as a whole; prints its details if it failed. */
  check(isPassed: boolean, name: string, details: string): void {
    if (isPassed) this.passed += 1;
    else this.#fail(1, [name]);
    this.#print(`${isPassed ? "ok  " : "FAIL"} ${name}`);
    if (!isPassed) this.#print(details.trimEnd());
  }

  /** Counts the tests of a group; prints its output and the names of the failed tests if any failed. */
  group(name: string, passed: number, failedTests: readonly string[], seconds: number, output: string): void {
    this.passed += passed;
    const figures = `${passed} passed, ${failedTests.length} failed (${seconds.toFixed(1)} s)`;
    if (failedTests.length === 0) {
      this.#print(`ok   ${name}: ${figures}`);
      return;
    }
    this.#fail(
      failedTests.length,
      failedTests.map((test) => `${name}: ${test}`),
    );
    this.#print(`FAIL ${name}: ${figures}`);
    for (const test of failedTests) this.#print(`     ${test}`);
    this.#print(output.trimEnd());
  }

  /** Prints the names of all that failed, then the line `N passed, N failed`. */
  close(): void {
    if (this.#failedNames.length > 0) this.#print(`\nfailed:\n${this.#failedNames.map(indented).join("\n")}`);
    this.#print(`\n${this.passed} passed, ${this.failed} failed`);
  }

  #fail(count: number, names: readonly string[]): void {
    this.failed += count;
    this.#failedNames.push(...names);
  }
}

function indented(line: string): string {
  return `  ${line}`;
}
