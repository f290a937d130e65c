import { describe, expect, test } from "bun:test";
import { chooseParts, PARTS, type Part } from "../../../src/install/engine/part.ts";

describe("the chosen parts", () => {
  test.each<[Part[], Part[], readonly Part[]]>([
    [[], [], PARTS],
    [["swap", "binary"], [], ["binary", "swap"]],
    [[], ["swap", "kubelet"], ["binary", "hook", "system-slice", "cri-o", "containerd"]],
    [["swap", "hook"], ["swap"], ["hook"]],
  ])("only %j, without %j", (only, skip, parts) => {
    expect(chooseParts(only, skip)).toEqual(parts);
  });
});
