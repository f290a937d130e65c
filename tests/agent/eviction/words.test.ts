import { expect, test } from "bun:test";
import { heldWordsOf } from "../../../src/agent/eviction/words.ts";
import type { VictimConfig } from "../../../src/policy/eviction/never-evicted.ts";

const CONFIG: VictimConfig = {
  excludeNamespaces: [],
  ownPodUid: undefined,
  evictionOptOut: "WithinRequests",
  evictionOptOutNamespaces: ["*"],
};

test.each([
  ["relieving-kept", "Restart, move or limit one of them;"],
  ["relieving-blocked", "Delete one of them, or relax what refuses its eviction,"],
  ["not-relieved", "Look for memory outside of pods, move pods to another node, or drain this one."],
] as const)("a person reads what to do about %s", (reason, remedy) => {
  expect(heldWordsOf(reason, [], CONFIG)).toContain(`(${reason}). ${remedy}`);
});
