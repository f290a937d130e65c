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
    expect(run.asked).toEqual(["a", "b"]);
  });

  test("is followed by a cooldown from its first second on, before new harm adds up", () => {
    const run = new Run(PODS);
    while (run.requests.length === 0) run.second(0.5);
    run.seconds(30, 0.5);
    const afterwards = run.decisions.slice(
      run.decisions.findLastIndex(({ verdict }) => verdict === "await") + 1,
    );
    expect(afterwards.length).toBeGreaterThan(20);
    for (const decision of afterwards) expect(decision).toEqual({ verdict: "hold", reason: "cooldown" });
  });

  test("that never terminates is passed over after its deadline, and is not evicted again", () => {
    const run = new Run(PODS, { cooldownSeconds: 10 });
    run.exitSeconds = Number.POSITIVE_INFINITY;
    run.seconds(600, 0.5);
    expect(run.asked).toEqual(["a", "b"]);
    expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "not-relieved" });
  });

  test("that never terminates and alone would relieve is not evicted again, nor is another pod", () => {
    const run = new Run(PODS, { cooldownSeconds: 10 });
    run.loads = { b: { memoryBytes: 90 * MI }, c: { memoryBytes: 90 * MI } };
    run.exitSeconds = Number.POSITIVE_INFINITY;
    run.seconds(600, 0.5);
    expect(run.asked).toEqual(["a"]);
    expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "relieving-blocked" });
  });

  test("counts for the harm after it alone: what was seen before it went says nothing about now", () => {
    const run = new Run(PODS, { cooldownSeconds: 1 });
    while (run.requests.length === 0) run.second(0.5);
    run.seconds(14, 0.5);
    expect(run.asked).toEqual(["a"]);
    run.seconds(10, 0.5);
    expect(run.asked).toEqual(["a", "b"]);
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
    expect(run.asked).toEqual(["other"]);
  });

  test("is not awaited if its end would not relieve, however many there are of them", () => {
    const decoys = Array.from({ length: 12 }, (_, index) => podOf(`decoy-${index}`, { isTerminating: true }));
    const run = new Run([...decoys, podOf("hog")]);
    run.loads = Object.fromEntries(decoys.map(({ uid }) => [uid, { memoryBytes: MI, returnedPages: 0 }]));
    run.seconds(15, 0.5);
    expect(run.asked).toEqual(["hog"]);
  });

  test("is not awaited if its usage is within its requests, or without pressure", () => {
    const containers = [
      { name: "app", id: "going", memoryRequestBytes: 600 * MI, memoryLimitBytes: undefined },
    ];
    const run = new Run([podOf("going", { isTerminating: true, containers }), podOf("other")]);
    run.seconds(15, 0.5);
    expect(run.asked).toEqual(["other"]);
    const quiet = new Run([podOf("going", { isTerminating: true })]);
    expect(quiet.seconds(15, 0)).toEqual({ verdict: "hold", reason: "not-pressed" });
  });
});
