import type { RuleCase } from "../check/rule-case.ts";
import { SOUND_KUBELET as kubelet } from "../check/sound-facts.ts";

/** Cases of the rules on the kubelet. */
export const KUBELET_CASES: readonly RuleCase[] = [
  [
    "kubelet",
    "none",
    { kubelet: undefined, kubeletPid: undefined },
    "unknown",
    "no kubelet is running, and none of k3s, rke2, MicroK8s, k0s is either",
  ],
  [
    "kubelet",
    "not running",
    { kubeletPid: undefined },
    "warning",
    "no kubelet runs; its settings are taken from /var",
  ],
  [
    "kubelet-fail-swap-on",
    "true",
    { kubelet: { ...kubelet, failSwapOn: true } },
    "error",
    "failSwapOn is true",
  ],
  ["kubelet-fail-swap-on", "no kubelet", { kubelet: undefined }, "none", ""],
  [
    "kubelet-swap-behavior",
    "spelled out",
    { kubelet: { ...kubelet, swapBehavior: "NoSwap" } },
    "ok",
    "is NoSwap",
  ],
  [
    "kubelet-swap-behavior",
    "its own",
    { kubelet: { ...kubelet, swapBehavior: "LimitedSwap" } },
    "warning",
    "LimitedSwap",
  ],
  ["kubelet-swap-behavior", "no kubelet", { kubelet: undefined }, "none", ""],
];
