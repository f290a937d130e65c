import { describe, expect, test } from "bun:test";
import { decodeKubeletConfig } from "../../src/cluster/kubelet-config.ts";
import { recordedConfig } from "../node/fake-kubelet.ts";

const MI = 2 ** 20;

function thresholdsOf(fields: object): unknown {
  return decodeKubeletConfig(JSON.stringify({ kubeletconfig: fields })).thresholds;
}

const none = { hard: undefined, soft: undefined, enforcesPods: false };

describe("a kubelet's configuration", () => {
  test("as recorded has the thresholds of memory and no swap behavior", () => {
    expect(decodeKubeletConfig(recordedConfig())).toEqual({
      swapBehavior: "",
      thresholds: { hard: { bytes: 100 * MI }, soft: undefined, enforcesPods: true },
    });
  });

  test.each([
    ["nothing", {}, none],
    ["null", { evictionHard: null, evictionSoft: null, enforceNodeAllocatable: null }, none],
    ["other signals", { evictionHard: { "nodefs.available": "10%" } }, none],
    [
      "a percentage",
      { evictionHard: { "memory.available": "7.5%" } },
      { ...none, hard: { fraction: 0.075 } },
    ],
    [
      "a quantity",
      { evictionSoft: { "memory.available": "1.5Gi" } },
      { ...none, soft: { bytes: 1536 * MI } },
    ],
    ["a disabled threshold", { evictionHard: { "memory.available": "0%" } }, none],
    ["a threshold disabled by 100%", { evictionHard: { "memory.available": "100%" } }, none],
    ["system alone enforced", { enforceNodeAllocatable: ["system-reserved"] }, none],
    ["pods enforced", { enforceNodeAllocatable: ["kube-reserved", "pods"] }, { ...none, enforcesPods: true }],
    ["a threshold that cannot be parsed", { evictionHard: { "memory.available": "much" } }, undefined],
    ["a soft threshold that cannot be parsed", { evictionSoft: { "memory.available": "5 %" } }, undefined],
  ])("with %s", (_, fields, thresholds) => {
    expect(thresholdsOf(fields)).toEqual(thresholds);
  });
});
