import { describe, expect, test } from "bun:test";
import { chooseHookFolder, planCrio } from "../../../src/install/crio/plan.ts";
import { crio, ETC, options, textOf, USR } from "../plan-facts.ts";

describe("the hook's folder", () => {
  test.each<[readonly string[], readonly string[], string, readonly string[] | undefined]>([
    [[USR], [USR, ETC], USR, undefined],
    [[USR], [ETC], ETC, [USR, ETC]],
    [[USR, ETC], [USR, ETC], USR, undefined],
    [[USR, ETC], [ETC], ETC, undefined],
    [["/opt/hooks"], ["/opt/hooks", USR, ETC], "/opt/hooks", undefined],
    [["/opt/hooks"], [USR, ETC], ETC, ["/opt/hooks", ETC]],
  ])("where CRI-O loads hooks from %j and %j are writable", (hooksDirs, writable, folder, configured) => {
    const place = chooseHookFolder({ ...crio, hooksDirs }, (candidate) => writable.includes(candidate));
    expect(place).toEqual({ folder, hooksDirs: configured });
  });
});

describe("CRI-O", () => {
  const elsewhere = { folder: ETC, hooksDirs: [USR, ETC] };

  test("has no steps where it loads the hook already, and a note on its runtimes", () => {
    const { steps, notes } = planCrio(crio, { folder: USR, hooksDirs: undefined }, options);
    expect(steps).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("the runtime crun; a RuntimeClass may ask for runc;")]);
  });

  test("gets a further folder, and is restarted with --restart", () => {
    const plan = planCrio(crio, elsewhere, options);
    expect(plan.steps).toHaveLength(1);
    expect(textOf(plan)).toBe(`[crio.runtime]\nhooks_dir = ["${USR}","${ETC}"]\n`);
    expect(plan.notes).toContainEqual(expect.stringContaining("once it is restarted"));
    const restarting = planCrio(crio, elsewhere, { ...options, restart: true });
    expect(restarting.steps[1]).toMatchObject({
      argv: ["systemctl", "restart", "crio.service"],
      when: "changed",
    });
    expect(restarting.notes).not.toContainEqual(expect.stringContaining("once it is restarted"));
  });

  test("is refused where its setting overrides any drop-in", () => {
    const facts = { ...crio, isHooksDirFixed: true, hooksDirsSetBy: "/etc/crio/crio.conf.d/99-hooks.conf" };
    const { steps, refusals } = planCrio(facts, elsewhere, options);
    expect(steps).toEqual([]);
    expect(refusals).toEqual([
      `/etc/crio/crio.conf.d/99-hooks.conf sets CRI-O's hooks_dir and overrides wasp's drop-in: add ${ETC} there`,
    ]);
  });

  test("has no steps where it is not installed", () => {
    const plan = planCrio({ ...crio, isThere: false }, elsewhere, options);
    expect(plan).toEqual({ part: "cri-o", steps: [], refusals: [], notes: [] });
  });
});
