import { describe, expect, test } from "bun:test";
import { decodeKubeletConfig } from "../../src/cluster/kubelet-config.ts";
import { recordedConfig } from "../node/fake-kubelet.ts";

const MI = 2 ** 20;

function thresholdsOf(fields: object): unknown {
  return decodeKubeletConfig(JSON.stringify({ kubeletconfig: fields })).thresholds;
}

const none = { hard: undefined, soft: undefined, enforcesPods: false };

describe("a kubelet's configuration", () => {
  test("as recorded tells when the kubelet evicts for memory, and that it does not limit swap", () => {
    expect(decodeKubeletConfig(recordedConfig())).toEqual({
      swapBehavior: "",
      thresholds: { hard: { bytes: 100 * MI }, soft: undefined, enforcesPods: true },
    });
  });

  test.each([
    ["nothing", {}, none],
    ["null", { evictionHard: null, evictionSoft: null, enforceNodeAllocatable: null }, none],
    ["other signals", { evictionHard: { "nodefs.available": "10%" } }, none],
    ["a part", { evictionHard: { "memory.available": "7.5%" } }, { ...none, hard: { fraction: 0.075 } }],
    [
      "a quantity",
      { evictionSoft: { "memory.available": "1.5Gi" } },
      { ...none, soft: { bytes: 1536 * MI } },
    ],
    ["one that is off", { evictionHard: { "memory.available": "0%" } }, none],
    ["the other way to have it off", { evictionHard: { "memory.available": "100%" } }, none],
    ["system alone", { enforceNodeAllocatable: ["system-reserved"] }, none],
    ["pods too", { enforceNodeAllocatable: ["kube-reserved", "pods"] }, { ...none, enforcesPods: true }],
    ["what cannot be read", { evictionHard: { "memory.available": "much" } }, undefined],
    ["one of two that cannot be read", { evictionSoft: { "memory.available": "5 %" } }, undefined],
  ])("with %s in it", (_, fields, thresholds) => {
    expect(thresholdsOf(fields)).toEqual(thresholds);
  });
});
