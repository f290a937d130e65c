import { describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { applyChanges, comparePlan } from "../../../src/install/engine/apply.ts";
import { PARTS } from "../../../src/install/engine/part.ts";
import { compose, type Plan } from "../../../src/install/engine/plan.ts";
import type { Step } from "../../../src/install/engine/step.ts";
import { assessEntries, undoEntries } from "../../../src/install/engine/undo-entries.ts";
import type { Host } from "../../../src/install/target/host.ts";
import { InstallHost } from "../../node/install-host.ts";
import { dieAfter } from "./dying-fs.ts";

const RELOAD = ["systemctl", "daemon-reload"];
const START = ["systemctl", "start", "a.swap"];
const STOP = ["systemctl", "stop", "a.swap"];

// Steps of each kind: new files, a replaced file, and commands that depend on a change.
const STEPS: readonly Step[] = [
  { kind: "program", part: "binary", path: "/opt/wasp/wasp", mode: 0o755 },
  { kind: "file", part: "swap", path: "/etc/theirs.conf", text: "wasp's\n", mode: 0o644 },
  { kind: "file", part: "swap", path: "/etc/units/a.swap", text: "[Swap]\n", mode: 0o600 },
  { kind: "link", part: "swap", path: "/etc/units/wants/a.swap", target: "../a.swap" },
  { kind: "line", part: "swap", path: "/etc/crypttab", line: "wasp /dev/sdx" },
  { kind: "line", part: "swap", path: "/etc/units/entry", line: "one" },
  { kind: "command", part: "swap", argv: RELOAD, when: "changed", undo: { argv: RELOAD, order: "last" } },
  { kind: "command", part: "swap", argv: START, when: "changed", undo: { argv: STOP, order: "first" } },
];

const plan = (steps: readonly Step[] = STEPS): Plan =>
  compose(
    PARTS.map((part) => ({
      part,
      steps: steps.filter((step) => step.part === part),
      refusals: [],
      notes: [],
    })),
  );

/** A host with existing files, and the commands that are run on it. */
class Engine implements Disposable {
  readonly tree = new InstallHost();
  readonly ran: string[] = [];
  readonly host: Host;

  constructor() {
    this.tree.write("/etc/theirs.conf", "theirs\n", 0o640);
    this.tree.write("/etc/crypttab", "# no end", 0o600);
    const path = `${this.tree.root}/proc/program`;
    this.tree.write("/proc/program", "wasp");
    const digest = new Bun.CryptoHasher("sha256").update("wasp").digest("hex");
    const run = (argv: readonly string[]) => {
      this.ran.push(argv.join(" "));
      return "";
    };
    this.host = { fsroot: this.tree.root, isRunning: true, program: { path, digest }, run };
  }

  compare(steps = STEPS) {
    return comparePlan(plan(steps), this.host);
  }

  actions(steps = STEPS): readonly string[] {
    return this.compare(steps).changes.map(({ action }) => action);
  }

  install(steps = STEPS): void {
    applyChanges(this.compare(steps).changes, this.host);
  }

  uninstall(): void {
    undoEntries(assessEntries(this.host, PARTS), this.host);
  }

  [Symbol.dispose](): void {
    this.tree[Symbol.dispose]();
  }
}

describe("a plan", () => {
  test("is applied, has nothing to do in a second run, and is undone", () => {
    using engine = new Engine();
    const before = engine.tree.listing();
    const { changes, refusals } = engine.compare();
    expect(refusals).toEqual([]);
    expect(changes.map(({ action }) => action).join(" ")).toBe(
      "create replace create create create create run run",
    );
    expect(changes[1]?.diff).toBe("@@ -1 +1 @@\n-theirs\n+wasp's\n");
    engine.install();
    expect(engine.tree.read("/etc/crypttab")).toBe("# no end\nwasp /dev/sdx\n");
    expect(engine.tree.read("/etc/units/wants/a.swap")).toBe("[Swap]\n");
    expect(engine.actions()).toEqual(Array(6).fill("unchanged"));

    engine.ran.length = 0;
    engine.uninstall();
    expect(engine.ran).toEqual(["systemctl stop a.swap", "systemctl daemon-reload"]);
    expect(engine.tree.listing()).toEqual(before);
  });

  test("killed at any change of a file is repeated, and undone", () => {
    let kills = 0;
    for (let isCut = true; isCut; kills++) {
      using engine = new Engine();
      const before = engine.tree.listing();
      isCut = dieAfter(kills, () => engine.install());
      engine.install();
      expect(engine.actions()).toEqual(Array(6).fill("unchanged"));
      expect(new Set(engine.ran)).toEqual(new Set([RELOAD.join(" "), START.join(" ")]));
      dieAfter(kills, () => engine.uninstall());
      engine.uninstall();
      expect(engine.tree.listing()).toEqual(before);
    }
    expect(kills).toBeGreaterThan(STEPS.length * 10);
  });

  test("killed at any change of a file is undone", () => {
    for (let kills = 0, isCut = true; isCut; kills++) {
      using engine = new Engine();
      const before = engine.tree.listing();
      isCut = dieAfter(kills, () => engine.install());
      engine.uninstall();
      if (engine.ran.includes(START.join(" "))) expect(engine.ran).toContain(STOP.join(" "));
      expect(engine.tree.listing()).toEqual(before);
    }
  });

  test("with other contents replaces an earlier one, and is undone", () => {
    using engine = new Engine();
    const before = engine.tree.listing();
    engine.install();
    const changed = STEPS.map((step) =>
      step.kind === "file" ? { ...step, text: `${step.text}more\n` } : step,
    );
    engine.install(changed);
    expect(engine.tree.read("/etc/theirs.conf")).toBe("wasp's\nmore\n");
    expect(engine.actions(changed)).toEqual(Array(6).fill("unchanged"));
    engine.uninstall();
    expect(engine.tree.listing()).toEqual(before);
  });

  test("runs no command in an image, neither to apply nor to undo it", () => {
    using engine = new Engine();
    const image = { ...engine.host, isRunning: false };
    applyChanges(comparePlan(plan(), image).changes, image);
    undoEntries(assessEntries(image, PARTS), image);
    expect(engine.ran).toEqual([]);
  });

  test.each<[string, Step]>([
    ["a folder", { kind: "file", part: "hook", path: "/etc", text: "", mode: 0o644 }],
    ["a link", { kind: "program", part: "binary", path: "/link", mode: 0o755 }],
    ["another link", { kind: "link", part: "swap", path: "/link", target: "/elsewhere" }],
    ["a folder, for a line", { kind: "line", part: "swap", path: "/etc", line: "one" }],
  ])("does not replace %s", (_, step) => {
    using engine = new Engine();
    symlinkSync("/etc", `${engine.tree.root}/link`);
    const { changes, refusals } = engine.compare([step]);
    expect(changes).toEqual([]);
    expect(refusals).toEqual([expect.stringContaining("path" in step ? step.path : "")]);
  });
});
