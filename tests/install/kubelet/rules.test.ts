import { describe, expect, test } from "bun:test";
import type { KubeletStarter } from "../../../src/install/kubelet/facts.ts";
import { findingOf, testRules } from "../check/rule-case.ts";
import { SOUND_KUBELET as kubelet } from "../check/sound-facts.ts";
import { KUBELET_CASES } from "./rule-cases.ts";

describe("a rule on the kubelet", () => testRules(KUBELET_CASES));

const K3S: KubeletStarter = {
  name: "k3s",
  settings: { place: "kubelet-arg in /etc/rancher/k3s/config.yaml", as: "arguments" },
  unit: "k3s.service",
};

test.each<[string, Partial<typeof kubelet>, string]>([
  ["reads drop-ins", {}, "wasp install --only kubelet --restart"],
  [
    "reads none",
    { readsDropIns: false },
    "set failSwapOn: false in /var/lib/kubelet/config.yaml, then: systemctl restart kubelet",
  ],
  [
    "has a flag for it",
    { isFailSwapOnFlag: true },
    "remove --fail-swap-on from the kubelet's flags, then: systemctl restart kubelet",
  ],
  ["is a part of k3s", { startedBy: K3S }, "wasp install --only kubelet, then: systemctl restart k3s"],
  [
    "is a part of a k3s without drop-ins",
    { startedBy: K3S, readsDropIns: false },
    "set fail-swap-on=false in kubelet-arg in /etc/rancher/k3s/config.yaml, then: systemctl restart k3s",
  ],
])("the remedy for a kubelet that %s", (_, facts, remedy) => {
  const failing = { ...kubelet, failSwapOn: true, ...facts };
  expect(findingOf("kubelet-fail-swap-on", { kubelet: failing })?.remedy).toBe(remedy);
});
