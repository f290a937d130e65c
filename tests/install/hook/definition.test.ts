import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import own from "../../../hooks.d/wasp-swap.json";
import { parseHookDefinition } from "../../../src/install/hook/definition.ts";

const parse = (changes: object) => parseHookDefinition(JSON.stringify({ ...own, ...changes }));
const whenOf = (when: unknown) => {
  const parsed = parse({ when });
  return "complaints" in parsed ? parsed.complaints : parsed.canRun;
};

// As CRI-O's loader treats them (go.podman.io/common pkg/hooks/1.0.0, hook.go and when.go).
describe("a hook's definition", () => {
  test("is valid as it comes with wasp", () => {
    expect(parse({})).toEqual({
      path: "/bin/sh",
      args: own.hook.args,
      stages: ["createRuntime"],
      canRun: true,
    });
  });

  const refused: readonly (readonly [string, object, string])[] = [
    ["another version", { version: "0.1.0" }, 'version is "0.1.0", not "1.0.0"'],
    ["no version", { version: undefined }, 'version is undefined, not "1.0.0"'],
    ["no hook", { hook: undefined }, "hook is missing: it is an object with path and args"],
    ["no path", { hook: { args: ["wasp"] } }, "hook.path is undefined, not an absolute path"],
    ["a relative path", { hook: { path: "wasp" } }, 'hook.path is "wasp", not an absolute path'],
    ["args that are none", { hook: { path: "/x", args: "hook" } }, "hook.args is not a list of strings"],
    ["no time", { hook: { path: "/x", timeout: 0 } }, "hook.timeout is 0, not a number of seconds above 0"],
    ["no stages", { stages: [] }, "stages is missing: it is a list of at least one"],
    ["an unknown stage", { stages: ["createRuntime", "create"] }, 'unknown stage "create": the stages are'],
    ["a bad pattern", { when: { commands: ["("] } }, '"(" is not a regular expression of Go'],
    ["a pattern that looks ahead", { when: { annotations: { "a(?=b)": "c" } } }, '"a(?=b)" is not a regular'],
    ["a pattern that refers back", { when: { annotations: { a: "(.)\\1" } } }, "is not a regular expression"],
    [
      "annotations that are none",
      { when: { annotations: { a: true } } },
      "when.annotations is not an object",
    ],
    ["commands that are none", { when: { commands: "sh" } }, "when.commands is not a list of strings"],
  ];
  test.each(refused)("is rejected with %s", (_, changes, complaint) => {
    const parsed = parse(changes);
    expect("complaints" in parsed ? parsed.complaints.join() : "").toContain(complaint);
  });

  test.each([
    ["", "not JSON: "],
    ["[]", "not a JSON object"],
    ["null", "not a JSON object"],
  ])("is rejected as %j", (text, complaint) => {
    expect(JSON.stringify(parseHookDefinition(text))).toContain(complaint);
  });

  test("has a complaint for each fault", () => {
    expect(parse({ version: 1, stages: undefined, hook: 3 })).toEqual({ complaints: expect.any(Array) });
    expect(JSON.stringify(parse({ version: 1, stages: undefined, hook: 3 }))).toMatch(
      /version.*hook.*stages/,
    );
  });

  const conditions: readonly (readonly [unknown, boolean])[] = [
    [{ always: true }, true],
    [{ always: false }, false],
    [{ always: false, annotations: { a: "b" } }, false],
    [{ hasBindMounts: true }, true],
    [{ hasBindMounts: false }, false],
    [{ commands: ["sh$"] }, true],
    [{ annotations: { a: "b" } }, true],
    [{ annotations: { "(?P<name>a)": "(?i)true" } }, true],
    [{}, false],
    [undefined, false],
  ];
  test.each(conditions)("with the conditions %j can run: %p", (when, canRun) => {
    expect(whenOf(when)).toBe(canRun);
  });

  test("is parsed or rejected, whatever the text", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const parsed = parseHookDefinition(text);
        expect("complaints" in parsed ? parsed.complaints.length : parsed.path.length).toBeGreaterThan(0);
      }),
    );
  });
});
