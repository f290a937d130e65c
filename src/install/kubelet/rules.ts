import { install } from "../finding/remedy.ts";
import { checksOn, error, ok, unknown, warning } from "../finding/rule.ts";
import { DISTRIBUTIONS } from "./distribution.ts";
import type { EffectiveKubelet } from "./effective.ts";
import { serviceOf } from "./facts.ts";
import { REMOVE_FLAG, setFailSwapOnFalse } from "./swap-needs.ts";

/** A container runtime that a kubelet uses. */
export type ContainerRuntime = "cri-o" | "containerd";

/** Facts about the kubelet and its runtime for the rules; undefined where the host is known not to have a thing. */
export interface KubeletCheckFacts {
  readonly kubelet: EffectiveKubelet | undefined;
  /** The pid of the running kubelet. */
  readonly kubeletPid: number | undefined;
  readonly runtime: ContainerRuntime | undefined;
}

const check = checksOn<KubeletCheckFacts>();

/** Requires a running kubelet whose settings can be read. */
export const kubelet = check({
  id: "kubelet",
  needs: ["kubelet", "kubeletPid"],
  right: "a kubelet is running, and its flags and files can be read",
  judge: ({ kubelet, kubeletPid }) => {
    if (kubelet === undefined)
      return unknown(
        `no kubelet is running, and none of ${DISTRIBUTIONS.map(({ name }) => name).join(", ")} is either`,
      );
    const { startedBy, files } = kubelet;
    const sources = [...files, "its flags"].join(", ");
    const service = serviceOf(startedBy);
    return kubeletPid === undefined
      ? warning(
          `no kubelet runs; its settings are taken from ${sources}`,
          `systemctl start ${service}, and: journalctl --unit ${service}`,
        )
      : ok(
          `pid ${kubeletPid}${startedBy === undefined ? "" : `, started by ${startedBy.name}`}, with ${sources}`,
        );
  },
});

/** Requires that the kubelet starts on a node with swap. */
export const kubeletFailSwapOn = check({
  id: "kubelet-fail-swap-on",
  needs: ["kubelet"],
  right: "failSwapOn is false: otherwise the kubelet does not start on a node with swap",
  judge: ({ kubelet }) =>
    kubelet &&
    (kubelet.failSwapOn
      ? error("failSwapOn is true, its default", remedyFor(kubelet))
      : ok("failSwapOn is false")),
});

function remedyFor({ readsDropIns, isFailSwapOnFlag, startedBy, files }: EffectiveKubelet): string {
  const restart = `systemctl restart ${serviceOf(startedBy)}`;
  if (isFailSwapOnFlag) return `${REMOVE_FLAG}, then: ${restart}`;
  if (readsDropIns)
    return startedBy === undefined
      ? install("kubelet", "--restart")
      : `${install("kubelet")}, then: ${restart}`;
  return `${setFailSwapOnFalse(startedBy, files[0] ?? "its configuration file (--config)")}, then: ${restart}`;
}

/** Requires that the kubelet leaves swap limits to wasp. */
export const kubeletSwapBehavior = check({
  id: "kubelet-swap-behavior",
  needs: ["kubelet"],
  right:
    "memorySwap.swapBehavior is NoSwap or not set: wasp sets no limits beside a kubelet that limits swap itself",
  judge: ({ kubelet }) => {
    if (kubelet === undefined) return undefined;
    const found = `swapBehavior is ${kubelet.swapBehavior || "not set, which means NoSwap"}`;
    return ["", "NoSwap"].includes(kubelet.swapBehavior)
      ? ok(found)
      : warning(
          found,
          "memorySwap: { swapBehavior: NoSwap } for the kubelet, and its restart; or keep it, without wasp's hook: wasp uninstall --only hook",
        );
  },
});
