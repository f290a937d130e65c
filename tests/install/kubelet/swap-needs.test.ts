import { describe, expect, test } from "bun:test";
import type { PartPlan } from "../../../src/install/engine/plan.ts";
import type { KubeletFacts } from "../../../src/install/kubelet/facts.ts";
import {
  requireKubeletAllowsSwap,
  type SwapInstallContext,
} from "../../../src/install/kubelet/swap-needs.ts";
import { kubelet, microK8s } from "../plan-facts.ts";

describe("swap", () => {
  const step = { kind: "command", part: "swap", argv: ["swapon"], when: "changed" } as const;
  const swap: PartPlan = { part: "swap", steps: [step], refusals: [], notes: ["larger"] };
  const alone = { withKubelet: false, hasSwap: false, ignoreKubelet: false };
  const withoutDropIns = { dropInFolder: undefined };
  const setTo = (value: boolean) => ({ failSwapOnNow: { value, setBy: "/etc/k.d/20.conf" } });

  test.each<[string, Partial<KubeletFacts>, Partial<SwapInstallContext>]>([
    ["there is no kubelet", { isThere: false }, {}],
    ["its files allow swap", setTo(false), {}],
    ["its flags allow swap", { ...setTo(true), failSwapOnFlag: false }, {}],
    ["the same run configures it", setTo(true), { withKubelet: true }],
  ])("is set up where %s", (_, facts, context) => {
    expect(requireKubeletAllowsSwap(swap, { ...kubelet, ...facts }, { ...alone, ...context })).toEqual(swap);
  });

  test.each<[string, Partial<KubeletFacts>, Partial<SwapInstallContext>, string]>([
    [
      "nothing sets it",
      withoutDropIns,
      { withKubelet: true },
      "set failSwapOn: false in /var/lib/kubelet/config.yaml, or use --ignore-kubelet",
    ],
    [
      "its part is left out",
      {},
      {},
      "in /var/lib/kubelet/config.yaml, or install the kubelet's part too, or use --ignore-kubelet",
    ],
    [
      "a file sets it",
      { ...setTo(true), ...withoutDropIns },
      {},
      "set failSwapOn: false in /etc/k.d/20.conf, or use",
    ],
    ["a flag sets it", { ...setTo(false), failSwapOnFlag: true }, {}, "remove --fail-swap-on from"],
    [
      "MicroK8s has no drop-ins",
      { startedBy: microK8s, ...withoutDropIns },
      {},
      "set --fail-swap-on=false in /var/snap/microk8s/current/args/kubelet, or use",
    ],
  ])("is refused where the kubelet would not start, as %s", (_, facts, context, words) => {
    const plan = requireKubeletAllowsSwap(swap, { ...kubelet, ...facts }, { ...alone, ...context });
    expect(plan.steps).toEqual([]);
    expect(plan.refusals).toEqual([expect.stringContaining(words)]);
  });

  test.each<[string, Partial<KubeletFacts>, Partial<SwapInstallContext>]>([
    ["--ignore-kubelet is given", {}, { ignoreKubelet: true }],
    ["swap is on already", {}, { hasSwap: true }],
    ["the kubelet has no configuration yet", { isConfigKnown: false }, {}],
  ])("is set up with a note where %s", (_, facts, context) => {
    const plan = requireKubeletAllowsSwap(swap, { ...kubelet, ...facts }, { ...alone, ...context });
    expect(plan).toMatchObject({ steps: [step], refusals: [] });
    expect(plan.notes).toEqual([
      "larger",
      expect.stringContaining("the kubelet does not start where swap is on"),
    ]);
  });

  test("has this refusal beside others, and none where no swap is planned", () => {
    const refused = { ...swap, steps: [], refusals: ["no room"] };
    expect(requireKubeletAllowsSwap(refused, kubelet, alone).refusals).toHaveLength(2);
    const noted = { ...swap, steps: [] };
    expect(requireKubeletAllowsSwap(noted, kubelet, alone)).toEqual(noted);
  });
});
