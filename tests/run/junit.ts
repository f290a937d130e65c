/** Outcome of the tests in a JUnit report. */
export interface TestOutcome {
  readonly passed: number;
  /** Names of the failed tests with their `describe` blocks, outermost first. */
  readonly failed: readonly string[];
}

/** Reads a JUnit report of `bun test`. A skipped test counts as failed: it could not run. */
export function readReport(report: string): TestOutcome {
  const failed: string[] = [];
  let passed = 0;
  for (const [, attributes = "", body = ""] of report.matchAll(TEST_CASE)) {
    const isSkipped = body.includes("<skipped");
    if (isSkipped || /<(failure|error)[ >/]/.test(body))
      failed.push(nameOf(attributes) + (isSkipped ? " (skipped)" : ""));
    else passed += 1;
  }
  return { passed, failed };
}

const TEST_CASE = /<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs;

function nameOf(attributes: string): string {
  // Bun writes the blocks innermost first.
  const blocks = attribute(attributes, "classname").split(" > ").reverse();
  return [...blocks, attribute(attributes, "name")].filter((name) => name !== "").join(" > ");
}

function attribute(attributes: string, name: string): string {
  return unescaped(new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

function unescaped(text: string): string {
  const characters: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => characters[name] ?? "");
}
