import { describe, expect, test } from "bun:test";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import { CONFIG, PODS, Run } from "./run.ts";
import { MI, podOf } from "./snapshots.ts";

describe("a victim", () => {
  test("is awaited, and a cooldown follows", () => {
    const run = new Run(PODS);
    run.exitSeconds = 40;
    while (run.requests.length === 0) run.second(0.5);
    expect(run.seconds(39, 0.5)).toMatchObject({ verdict: "await", podUid: "a" });
    expect(run.seconds(50, 0.5)).toEqual({ verdict: "hold", reason: "cooldown" });
    run.seconds(20, 0.5);
    expect(run.requests.map(({ podUid }) => podUid)).toEqual(["a", "b"]);
  });

  test("that never terminates is passed over after its deadline, and is not evicted again", () => {
    const run = new Run(PODS, { cooldownSeconds: 10 });
    run.exitSeconds = Number.POSITIVE_INFINITY;
    run.seconds(600, 0.5);
    expect(run.requests.map(({ podUid }) => podUid)).toEqual(["a", "b", "c"]);
    expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "no-candidate" });
  });
});

describe("a pod that is already leaving", () => {
  test.each<[string, Partial<Pod>]>([
    ["deleted by another client", { isTerminating: true }],
    [
      "migrated by KubeVirt",
      {
        annotations: { "descheduler.alpha.kubernetes.io/eviction-in-progress": "x" },
        ...{ labels: { "kubevirt.io": "virt-launcher" }, ownerKind: "VirtualMachineInstance" },
      },
    ],
  ])("is awaited like a victim: %s", (_, differences) => {
    const run = new Run([podOf("going", differences), podOf("other")]);
    run.seconds(15, 0.5);
    expect(run.decisions.at(-1)).toMatchObject({ verdict: "await", podUid: "going" });
    // It never terminates: its deadline passes, then the cooldown, and the next pod is evicted.
    run.seconds(CONFIG.victimDeadlineSeconds, 0.5);
    expect(run.requests).toEqual([]);
    run.seconds(CONFIG.cooldownSeconds, 0.5);
    expect(run.requests.map(({ podUid }) => podUid)).toEqual(["other"]);
  });

  test("is not awaited if its usage is within its requests, or without pressure", () => {
    const containers = [
      { name: "app", id: "going", memoryRequestBytes: 600 * MI, memoryLimitBytes: undefined },
    ];
    const run = new Run([podOf("going", { isTerminating: true, containers }), podOf("other")]);
    run.seconds(15, 0.5);
    expect(run.requests.map(({ podUid }) => podUid)).toEqual(["other"]);
    const quiet = new Run([podOf("going", { isTerminating: true })]);
    expect(quiet.seconds(15, 0)).toEqual({ verdict: "hold", reason: "not-pressed" });
  });
});
