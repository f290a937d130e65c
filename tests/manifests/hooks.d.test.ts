import { describe, expect, test } from "bun:test";
import definition from "../../hooks.d/wasp-swap.json";

// Rules of CRI-O and podman for such a file: go.podman.io/common pkg/hooks/1.0.0/hook.go.
describe("the hook's definition", () => {
  test("runs wasp hook before the container's first instruction", () => {
    expect(definition.version).toBe("1.0.0");
    expect(definition.stages).toEqual(["createRuntime"]);
    expect(definition.hook.path).toBe("/bin/sh");
    const [sh, flag, , ...args] = definition.hook.args;
    expect([sh, flag]).toEqual(["sh", "-c"]);
    expect(args).toEqual(["wasp-guard", "/usr/local/bin/wasp", "hook"]);
  });

  test("has a timeout well above its guard's", () => {
    const [, seconds] = /\nsleep (\d+) /.exec(definition.hook.args[2] ?? "") ?? [];
    expect(Number(seconds)).toBeGreaterThan(2);
    expect(definition.hook.timeout).toBeGreaterThanOrEqual(3 * Number(seconds));
  });

  // Without `env` a hook inherits its runtime's environment, in which BUN_BE_BUN would turn wasp into Bun.
  test("sets wasp's environment", () => {
    expect(definition.hook.env).toEqual([expect.stringMatching(/^PATH=/)]);
  });

  test("excludes static pods by the annotation that the kubelet sets on every pod", () => {
    const [[key, value] = ["", ""]] = Object.entries(definition.when.annotations);
    expect(new RegExp(key).test("kubernetes.io/config.source")).toBe(true);
    expect(new RegExp(key).test("kubernetes.io/config.source-not")).toBe(false);
    expect(["api", "file", "http"].filter((source) => new RegExp(value).test(source))).toEqual(["api"]);
  });
});
