import { describe, expect, test } from "bun:test";
import {
  EXIT_ERRORS,
  EXIT_SOUND,
  EXIT_WARNINGS,
  exitStatusOf,
  type Severity,
} from "../../../src/install/finding/finding.ts";

describe("the exit status", () => {
  const all: readonly (readonly [readonly Severity[], number])[] = [
    [[], EXIT_SOUND],
    [["ok", "note"], EXIT_SOUND],
    [["ok", "unknown"], EXIT_WARNINGS],
    [["warning", "note"], EXIT_WARNINGS],
    [["warning", "error", "unknown"], EXIT_ERRORS],
  ];
  test.each(all)("of %j is %d", (severities, status) => {
    const finding = { id: "swap", found: "", right: "", remedy: undefined } as const;
    expect(exitStatusOf(severities.map((severity) => ({ ...finding, severity })))).toBe(status);
  });
});
