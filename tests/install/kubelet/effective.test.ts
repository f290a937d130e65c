import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mergeKubeletSettings } from "../../../src/install/kubelet/effective.ts";
import { MI } from "../../policy/eviction/snapshots.ts";

const RECORDED = `${import.meta.dir}/../../fixtures/recordings/api/kubelet-configz.json`;
const recorded: unknown = JSON.parse(readFileSync(RECORDED, "utf8")).kubeletconfig;

function merge(config: unknown, dropIns: readonly unknown[] = [], flags: Record<string, string> = {}) {
  return mergeKubeletSettings({ config, dropIns }, (flag) => flags[flag]);
}

describe("a kubelet's settings", () => {
  test("as one tells them of itself", () => {
    expect(merge(recorded)).toEqual({
      failSwapOn: false,
      isFailSwapOnFlag: false,
      swapBehavior: "",
      thresholds: { hard: { bytes: 100 * MI }, soft: undefined, enforcesPods: true },
      runtimeEndpoint: "unix:///var/run/crio/crio.sock",
    });
  });

  test("without a word", () => {
    expect(merge(undefined)).toEqual({
      failSwapOn: true,
      isFailSwapOnFlag: false,
      swapBehavior: "",
      thresholds: { hard: { bytes: 100 * MI }, soft: undefined, enforcesPods: true },
      runtimeEndpoint: undefined,
    });
  });

  test("flags count for more than drop-ins, and these for more than the file", () => {
    const config = { failSwapOn: true };
    expect(merge(config).failSwapOn).toBe(true);
    expect(merge(config, [{ failSwapOn: false }]).failSwapOn).toBe(false);
    expect(merge(config, [{ failSwapOn: false }, { failSwapOn: true }]).failSwapOn).toBe(true);
    expect(merge(config, [{ failSwapOn: false }], { "--fail-swap-on": "true" }).failSwapOn).toBe(true);
    expect(merge(config, [], { "--fail-swap-on": "false" }).failSwapOn).toBe(false);
    expect(merge(config, [], { "--fail-swap-on": "0" }).failSwapOn).toBe(false);
  });

  test("a drop-in merges into an object, and null takes a member away", () => {
    const config = { memorySwap: { swapBehavior: "LimitedSwap" }, failSwapOn: false };
    expect(merge(config, [{ memorySwap: {} }]).swapBehavior).toBe("LimitedSwap");
    expect(merge(config, [{ memorySwap: { swapBehavior: null } }]).swapBehavior).toBe("");
    expect(merge(config, [{ memorySwap: null }]).swapBehavior).toBe("");
    expect(merge(config, [{ failSwapOn: null }]).failSwapOn).toBe(true);
  });

  const hard = (...given: Parameters<typeof merge>) => merge(...given).thresholds?.hard;

  test("the default threshold is the file's, where that has none", () => {
    const disk = { "nodefs.available": "10%" };
    expect(hard({})).toEqual({ bytes: 100 * MI });
    expect(hard({ evictionHard: disk })).toBeUndefined();
    expect(hard({ evictionHard: disk, mergeDefaultEvictionSettings: true })).toEqual({ bytes: 100 * MI });
    expect(hard({}, [{ evictionHard: disk }])).toEqual({ bytes: 100 * MI });
    expect(hard({}, [{ evictionHard: { "memory.available": "5%" } }])).toEqual({ fraction: 0.05 });
    expect(hard({}, [], { "--eviction-hard": "nodefs.available<10%" })).toBeUndefined();
    expect(hard({}, [], { "--eviction-hard": "nodefs.available<10%, memory.available<1Gi" })).toEqual({
      bytes: 1024 * MI,
    });
  });

  test("a soft threshold, and none, and one that cannot be read", () => {
    expect(merge({ evictionSoft: { "memory.available": "1Gi" } }).thresholds?.soft).toEqual({
      bytes: 1024 * MI,
    });
    expect(merge({}, [], { "--eviction-soft": "memory.available<10%" }).thresholds?.soft).toEqual({
      fraction: 0.1,
    });
    expect(hard({ evictionHard: { "memory.available": "0%" } })).toBeUndefined();
    expect(merge({ evictionHard: { "memory.available": "much" } }).thresholds).toBeUndefined();
  });

  test("whether it enforces what is left for pods", () => {
    const enforces = (...given: Parameters<typeof merge>) => merge(...given).thresholds?.enforcesPods;
    expect(enforces({})).toBe(true);
    expect(enforces({ enforceNodeAllocatable: ["none"] })).toBe(false);
    expect(
      enforces({ enforceNodeAllocatable: [] }, [], { "--enforce-node-allocatable": "pods,kube-reserved" }),
    ).toBe(true);
  });

  test("what is no configuration says nothing", () => {
    for (const config of [null, 3, [], "text"]) expect(merge(config).failSwapOn).toBe(true);
  });
});
