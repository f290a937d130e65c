import { describe, expect, test } from "bun:test";
import { loadInstallConfig } from "../../../src/config/install/knobs.ts";
import { runChecks } from "../../../src/install/check/all-checks.ts";
import { PARTS } from "../../../src/install/engine/part.ts";
import { EXIT_WARNINGS, exitStatusOf } from "../../../src/install/finding/finding.ts";
import { BINARY_CASES } from "../binary/rule-cases.ts";
import { NRI_CASES } from "../containerd/rule-cases.ts";
import { HOOK_CASES } from "../hook/rule-cases.ts";
import { KUBELET_CASES } from "../kubelet/rule-cases.ts";
import { SWAP_CASES } from "../swap/rule-cases.ts";
import { SYSTEM_SLICE_CASES } from "../system-slice/rule-cases.ts";
import { FILE, findingOf, MEMORY, ON_ROOT, type RuleCase, swapsOn, ZRAM } from "./rule-case.ts";
import { NODE_CASES } from "./rule-cases.ts";
import { FACT_NAMES, factsWith } from "./sound-facts.ts";

const CASES: readonly RuleCase[] = [
  NODE_CASES,
  SWAP_CASES,
  BINARY_CASES,
  HOOK_CASES,
  NRI_CASES,
  SYSTEM_SLICE_CASES,
  KUBELET_CASES,
].flat();

describe("the checks of a node", () => {
  test("find nothing wrong on a sound node", () => {
    const severities = runChecks(factsWith({})).map(({ id, severity }) => [id, severity]);
    expect(severities.filter(([, severity]) => severity !== "ok")).toEqual([]);
    expect(severities.length).toBeGreaterThan(25);
  });

  test("have a case in which each rule finds a fault", () => {
    const faulted = new Set(CASES.filter(([, , , severity]) => severity !== "ok").map(([id]) => id));
    expect(runChecks(factsWith(SWAPS_OF_ALL_KINDS)).filter(({ id }) => !faulted.has(id))).toEqual([]);
  });

  test("have a remedy for every error and warning", () => {
    const found = CASES.flatMap(([id, , facts]) => findingOf(id, facts) ?? []);
    const wrong = found.filter(({ severity }) => severity === "error" || severity === "warning");
    expect(wrong.filter(({ remedy }) => remedy === undefined)).toEqual([]);
  });

  test("recommend only commands that wasp accepts", () => {
    const remedies = CASES.flatMap(([id, , facts]) => findingOf(id, facts)?.remedy ?? []);
    const commands = remedies.flatMap((remedy) => remedy.match(/wasp install[^,;:]*/g) ?? []);
    expect(commands.length).toBeGreaterThan(10);
    for (const command of new Set(commands)) expect(command).toMatch(INSTALL);
    const others = commands.filter((command) => !command.includes("--only swap"));
    expect(others.length).toBeGreaterThan(5);
    for (const command of others)
      expect(() => loadInstallConfig(command.trim().split(" ").slice(2))).not.toThrow();
  });
});

const SWAPS_OF_ALL_KINDS = swapsOn([ZRAM, MEMORY], [FILE, ON_ROOT]);
const INSTALL = new RegExp(
  `^wasp install --only (${PARTS.join("|")})( --only cri-o)?( --zram)?( --overcommit \\d+%)?( --swap-device DEVICE --encrypt)?( --restart)?$`,
);

describe("an unknown fact", () => {
  test.each(FACT_NAMES)("%s never counts as ok", (name) => {
    const reason = "open /x: Permission denied";
    const facts = { ...factsWith(SWAPS_OF_ALL_KINDS), [name]: { unknown: reason } };
    const changed = runChecks(facts).filter(({ found }) => found === reason);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.filter(({ severity }) => severity !== "unknown")).toEqual([]);
    expect(exitStatusOf(changed)).toBe(EXIT_WARNINGS);
  });

  test("is reported with the reasons of other facts, each reason once", () => {
    const facts = {
      ...factsWith({}),
      swaps: { unknown: "a" },
      swapStacks: { unknown: "a" },
      rootStack: { unknown: "b" },
    };
    expect(runChecks(facts).find(({ id }) => id === "swap-disk")?.found).toBe("a; b");
  });

  test("of a running host is left out for an image", () => {
    const running = FACT_NAMES.filter((name) => !["hookFiles", "hookFolders", "runtime"].includes(name));
    const facts = { ...factsWith({}), ...Object.fromEntries(running.map((name) => [name, "only-running"])) };
    expect(runChecks(facts).map(({ id }) => id)).toEqual([
      "hook",
      "hook-owner",
      "hook-loaded",
      "hooks-valid",
      "wasp-agent",
    ]);
  });
});
