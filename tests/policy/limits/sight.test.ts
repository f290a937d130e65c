import { describe, expect, test } from "bun:test";
import type { Pod, PodContainer } from "../../../src/policy/kubernetes/pod.ts";
import {
  type ContainerPlace,
  isBlind,
  look,
  NO_SIGHT,
  type Sight,
  sandboxedIn,
  unseenIn,
} from "../../../src/policy/limits/sight.ts";
import { DB_POD } from "../db-pod.ts";

const container = (id: string | undefined, isRunning: boolean | undefined = true): PodContainer => ({
  ...{ name: `name-${id}`, id, memoryRequestBytes: 0, memoryLimitBytes: undefined, isRunning },
});
const podOf = (uid: string, ...containers: PodContainer[]): Pod => ({
  ...DB_POD,
  uid,
  name: uid,
  containers,
});

/** Looks at these pods each second, with the places of each look. */
function looks(pods: readonly Pod[], places: readonly Record<string, ContainerPlace>[]): Sight {
  return places.reduce<Sight>(
    (before, ofLook, second) => look(before, pods, (id) => ofLook[id] ?? "seen", second),
    NO_SIGHT,
  );
}

describe("a container that runs by its status", () => {
  const pods = [podOf("a", container("1"), container("2", false), container(undefined), container("3"))];
  const missing = { "1": "missing", "2": "missing", "3": "seen" } as const;
  const empty = { "1": "empty" } as const;

  test.each<[string, readonly Record<string, ContainerPlace>[], string[]]>([
    ["is no matter if it is seen", [{}, {}, {}], []],
    ["is given three looks", [missing, missing], []],
    ["is unseen after them", [missing, missing, missing], ["1"]],
    ["is unseen without tasks as well", [missing, empty, empty], ["1"]],
    ["begins again once it was seen", [missing, missing, {}, missing, missing], []],
  ])("%s", (_, places, unseen) => {
    const sight = looks(pods, places);
    expect(sight.running).toBe(2);
    expect(unseenIn(sight, places.length, 2).map(({ id }) => id)).toEqual(unseen);
  });

  test("is given the grace too", () => {
    const sight = looks(pods, [missing, missing, missing, missing]);
    expect(unseenIn(sight, 3, 4)).toEqual([]);
    expect(unseenIn(sight, 4, 4)).toMatchObject([{ id: "1", sinceSeconds: 0, looks: 4, place: "missing" }]);
  });

  test.each(["Succeeded", "Failed"])("is not expected in a pod that has %s", (phase) => {
    const ended = pods.map((pod) => ({ ...pod, phase }));
    expect(looks(ended, [missing])).toEqual(NO_SIGHT);
  });

  test("is counted once for a pod with two UIDs", () => {
    const [pod] = pods as [Pod];
    expect(looks([pod, pod], [missing]).running).toBe(2);
  });
});

describe("a pod is sandboxed", () => {
  const pod = podOf("a", container("1"), container("2"), container("3", false));
  const [both, one] = [{ "1": "missing", "2": "empty" } as const, { "1": "missing" } as const];

  test.each<[string, readonly Record<string, ContainerPlace>[], string[], boolean, boolean]>([
    ["if none of its containers has tasks, and it has", [both, both, both, both], [], true, true],
    ["not within three seconds", [both, both, both], [], true, false],
    ["not if it has no tasks", [both, both, both, both], [], false, false],
    ["not if one of its containers has tasks", [one, one, one, one], [], true, false],
    ["not if one of them had, a moment ago", [both, both, both, one, both], [], true, false],
    ["still, while a container restarts", [both], ["a"], true, true],
    ["no longer once a container has tasks of its own", [both, one], ["a"], true, false],
  ])("%s", (_, places, before, hasSandbox, isSandboxed) => {
    const sight = looks([pod], places);
    const found = sandboxedIn(sight, [pod, pod], new Set(before), places.length - 1, () => hasSandbox);
    expect(found).toEqual(isSandboxed ? [pod] : []);
  });

  test("at the second look at the earliest", () => {
    expect(sandboxedIn(looks([pod], [both]), [pod], new Set(), 60, () => true)).toEqual([]);
    expect(sandboxedIn(looks([pod], [both, both]), [pod], new Set(), 60, () => true)).toEqual([pod]);
  });

  test("still, while none of its containers runs, but does not begin then", () => {
    const idle = podOf("b", container("1", false));
    const sight = looks([idle], [{}, {}, {}]);
    expect(sandboxedIn(sight, [idle], new Set(["b"]), 3, () => true)).toEqual([idle]);
    expect(sandboxedIn(sight, [idle], new Set(), 3, () => true)).toEqual([]);
  });
});

test.each([
  [0, 0, false],
  [0, 5, false],
  [1, 2, false],
  [1, 1, true],
  [2, 3, true],
  [2, 4, false],
])("%d of %d unseen containers: blind is %p", (unseen, running, blind) => {
  expect(isBlind(unseen, running)).toBe(blind);
});
