import { expect, test } from "bun:test";
import { runChecks } from "../../../src/install/check/all-checks.ts";
import type { KnownFacts } from "../../../src/install/check/facts.ts";
import type { Finding, FindingId, Severity } from "../../../src/install/finding/finding.ts";
import type { BlockStack, SwapArea } from "../../../src/install/swap/areas.ts";
import { GI } from "../../policy/eviction/snapshots.ts";
import { factsWith, HOOK } from "./sound-facts.ts";

/**
 * A difference from a sound node: the id of the rule, a title, the facts that differ, the severity that the rule finds, and
 * a part of what it says. "none" stands for no finding.
 */
export type RuleCase = readonly [FindingId, string, Partial<KnownFacts>, Severity | "none", string];

/** Returns what one rule finds on a sound node with some facts replaced. */
export function findingOf(id: FindingId, facts: Partial<KnownFacts>): Finding | undefined {
  return runChecks(factsWith(facts)).find((finding) => finding.id === id);
}

/** Tests rules by their cases. */
export function testRules(cases: readonly RuleCase[]): void {
  test.each(cases)("%s: %s", (id, _, facts, severity, words) => {
    const finding = findingOf(id, facts);
    expect(finding?.severity ?? "none").toBe(severity);
    expect(finding?.found ?? "").toContain(words);
  });
}

export const ZRAM: SwapArea = {
  name: "/dev/zram0",
  medium: "zram",
  sizeBytes: 4 * GI,
  usedBytes: 0,
  priority: 100,
};
export const FILE: SwapArea = {
  name: "/var/lib/wasp/swapfile",
  medium: "file",
  sizeBytes: 4 * GI,
  usedBytes: 0,
  priority: -2,
};
export const MEMORY: BlockStack = { disks: [], numbers: ["252:0"], isEncrypted: true };
export const ON_ROOT: BlockStack = { disks: ["vda"], numbers: ["254:1", "254:0"], isEncrypted: false };

export function swapsOn(...areas: readonly (readonly [SwapArea, BlockStack])[]): Partial<KnownFacts> {
  const swaps = areas.map(([area]) => area);
  const swapStacks = new Map(areas.map(([{ name }, stack]) => [name, stack]));
  return { swaps, swapStacks, swapsAtBoot: { paths: swaps.map(({ name }) => name), hasZramService: false } };
}

export function hooks(...files: readonly Partial<typeof HOOK>[]): Partial<KnownFacts> {
  return { hookFiles: files.map((file) => ({ ...HOOK, ...file })) };
}

export const ETC = "/etc/containers/oci/hooks.d";
export const RUN = "/run/containers/oci/hooks.d";
