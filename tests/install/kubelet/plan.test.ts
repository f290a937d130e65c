import { describe, expect, test } from "bun:test";
import type { InstallOptions } from "../../../src/install/engine/options.ts";
import type { KubeletFacts } from "../../../src/install/kubelet/facts.ts";
import { planKubelet } from "../../../src/install/kubelet/plan.ts";
import { k0s, k3s, kubelet, microK8s, options, textOf } from "../plan-facts.ts";

describe("the kubelet", () => {
  const swap = "failSwapOn: false\n";
  const soft = (figure: string) =>
    `evictionSoft:\n  memory.available: "${figure}"\nevictionSoftGracePeriod:\n  memory.available: 10s\n`;

  test.each<[string, Partial<KubeletFacts>, Partial<InstallOptions>, string]>([
    ["without settings", {}, {}, swap + soft("1Gi")],
    ["on a small node", { memoryTotalBytes: 4 * 2 ** 30 }, {}, swap + soft("10%")],
    ["in an image", { memoryTotalBytes: undefined }, {}, swap + soft("1Gi")],
    ["with a threshold of its own", { evictionSoft: "500Mi" }, {}, swap],
    ["without a soft threshold", {}, { evictionSoft: "Off" }, swap],
    ["with a chosen threshold", {}, { evictionSoft: "2Gi" }, swap + soft("2Gi")],
    ["whose file allows swap", { failSwapOn: false }, {}, soft("1Gi")],
    ["whose flag allows swap", { failSwapOnFlag: false }, {}, soft("1Gi")],
    ["whose file forbids swap", { failSwapOn: true }, {}, swap + soft("1Gi")],
  ])("%s", (_, facts, chosen, settings) => {
    const plan = planKubelet({ ...kubelet, ...facts }, { ...options, ...chosen });
    expect(plan.steps[0]).toMatchObject({ path: "/etc/kubernetes/kubelet.conf.d/50-wasp.conf" });
    expect(textOf(plan)).toBe(
      `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${settings}`,
    );
    expect(plan.refusals).toEqual([]);
  });

  test("has no steps where everything is set", () => {
    const plan = planKubelet({ ...kubelet, failSwapOn: false, evictionSoft: "1Gi" }, options);
    expect(plan).toEqual({ part: "kubelet", steps: [], refusals: [], notes: [] });
  });

  test("is restarted with --restart", () => {
    expect(planKubelet(kubelet, options).notes).toEqual([expect.stringContaining("once it is restarted")]);
    const { steps, notes } = planKubelet(kubelet, { ...options, restart: true });
    expect(steps[1]).toMatchObject({ argv: ["systemctl", "restart", "kubelet.service"], when: "changed" });
    expect(notes).toEqual([]);
  });

  test("without drop-ins keeps its file, and a note says what to set there", () => {
    const { steps, notes } = planKubelet({ ...kubelet, dropInFolder: undefined }, options);
    expect(steps).toEqual([]);
    expect(notes).toEqual([
      expect.stringMatching(/does not write \/var\/lib\/kubelet\/config.yaml: .*\nfailSwapOn: false\n/),
    ]);
  });

  test.each<[Partial<KubeletFacts>, string]>([
    [{ failSwapOnFlag: true }, "the kubelet is started with --fail-swap-on"],
    [{ contradictedBy: "/etc/k/99.conf" }, "/etc/k/99.conf sets failSwapOn: true"],
    [{ problems: ["/etc/k/10.conf is not YAML"] }, "/etc/k/10.conf is not YAML"],
  ])("with %j is refused", (facts, refusal) => {
    const plan = planKubelet({ ...kubelet, ...facts }, options);
    expect(plan.refusals).toEqual([expect.stringContaining(refusal)]);
  });
});

describe("the kubelet of a distribution", () => {
  test("is never restarted by wasp, which would restart more", () => {
    const { steps, notes } = planKubelet({ ...kubelet, startedBy: k3s }, { ...options, restart: true });
    expect(steps).toMatchObject([{ kind: "file", path: "/etc/kubernetes/kubelet.conf.d/50-wasp.conf" }]);
    expect(notes).toEqual([expect.stringMatching(/once k3s is restarted: systemctl restart k3s.service$/)]);
  });

  test.each([
    [
      k3s,
      /^k3s .*kubelet-arg in \/etc\/rancher\/k3s\/config.yaml, and restart k3s.service:\nfail-swap-on=false\neviction-soft=memory.available<1Gi\neviction-soft-grace-period=memory.available=10s$/,
    ],
    [microK8s, /\/var\/snap\/microk8s\/current\/args\/kubelet, .*:\n--fail-swap-on=false\n--eviction-soft=/],
    [
      k0s,
      /spec.workerProfiles in k0s.yaml, and restart k0sworker.service:\nfailSwapOn: false\nevictionSoft:\n/,
    ],
  ])("without drop-ins has a note on the settings of %o", (startedBy, words) => {
    const { steps, notes } = planKubelet({ ...kubelet, startedBy, dropInFolder: undefined }, options);
    expect(steps).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(words)]);
  });
});
