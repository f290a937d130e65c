import { describe, expect, test } from "bun:test";
import definition from "../../../hooks.d/wasp-swap.json" with { type: "text" };
import { planHook } from "../../../src/install/hook/plan.ts";
import { crio, ETC, options, USR } from "../plan-facts.ts";

const HOOK = definition as unknown as string;

describe("the hook", () => {
  const facts = { definition: HOOK, isBinaryThere: true, crio };
  const place = { folder: USR, hooksDirs: undefined };
  const context = { withBinary: true, withCrio: true };

  test("is the repository's", () => {
    const { steps, refusals, notes } = planHook(facts, place, options, context);
    expect(steps).toMatchObject([{ path: `${USR}/wasp-swap.json`, text: HOOK, mode: 0o644 }]);
    expect({ refusals, notes }).toEqual({ refusals: [], notes: [] });
  });

  test("has the path of the binary, whatever its characters", () => {
    const binaryPath = '/opt/$& "wasp"';
    const [step] = planHook(facts, place, { ...options, binaryPath }, context).steps;
    expect(JSON.parse(step?.kind === "file" ? step.text : "").hook).toMatchObject({
      path: "/bin/sh",
      args: ["sh", "-c", expect.stringContaining("report"), "wasp-guard", binaryPath, "hook"],
    });
  });

  test("needs a binary, installed already or by the same run", () => {
    const missing = { ...facts, isBinaryThere: false };
    expect(planHook(missing, place, options, context).refusals).toEqual([]);
    const alone = planHook(missing, place, options, { ...context, withBinary: false });
    expect(alone.refusals).toEqual([expect.stringContaining("install the binary too")]);
  });

  test("has to be one that CRI-O accepts", () => {
    const { refusals } = planHook({ ...facts, definition: '{"stages": []}' }, place, options, context);
    expect(refusals).toContain("the hook's definition: stages is missing: it is a list of at least one");
    const never = HOOK.replace(/"annotations": \{[^}]*\}/, "");
    expect(planHook({ ...facts, definition: never }, place, options, context).refusals).toEqual([
      "the hook's definition: its conditions never hold",
    ]);
  });

  test("has a note on why CRI-O would not run it", () => {
    const withoutCrio = planHook({ ...facts, crio: { ...crio, isThere: false } }, place, options, context);
    expect(withoutCrio.notes).toEqual([expect.stringContaining("there is no CRI-O on this host")]);
    const elsewhere = { folder: ETC, hooksDirs: [USR, ETC] };
    const alone = planHook(facts, elsewhere, options, { ...context, withCrio: false });
    expect(alone.notes).toEqual([expect.stringContaining(`its hooks_dir has to be ["${USR}","${ETC}"]`)]);
  });
});
