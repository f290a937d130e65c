import { type Check, type Fact, ok } from "../finding/rule.ts";
import type { KubeletCheckFacts } from "../kubelet/rules.ts";
import { isWaspHook } from "./files.ts";
import { type HookCheckFacts, hook } from "./rules.ts";

type NeededFacts = Pick<
  HookCheckFacts & KubeletCheckFacts,
  "runtime" | "hookFiles" | "hookFolders" | "kubelet"
>;

/** Requires the hook as its rule does, but none beside a kubelet that is known to limit swap itself. */
export const hookWhereNeeded: Check<NeededFacts> = (facts) => {
  const finding = hook(facts);
  const hasNone = knownValue(facts.hookFiles)?.some(isWaspHook) === false;
  if (finding === undefined || !hasNone || knownValue(facts.kubelet)?.swapBehavior !== "LimitedSwap")
    return finding;
  const { id, right } = finding;
  return { id, right, ...ok("none, beside a kubelet that limits swap itself") };
};

function knownValue<T>(fact: Fact<T>): T | undefined {
  return fact !== "only-running" && "known" in fact ? fact.known : undefined;
}
