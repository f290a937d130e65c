import { install } from "../finding/remedy.ts";
import { checksOn, type Verdict } from "../finding/rule.ts";
import type { KubeletCheckFacts } from "./check-facts.ts";
import { DISTRIBUTIONS } from "./distribution.ts";
import { type KubeletSettings, serviceOf } from "./settings.ts";
import { howToStart, WITHOUT_FLAG } from "./swap-needs.ts";

const check = checksOn<KubeletCheckFacts>();

/** The kubelet runs, and its settings can be read. */
export const kubelet = check({
  id: "kubelet",
  needs: ["kubelet", "kubeletPid"],
  right: "a kubelet runs, and tells its settings by its command line and files",
  judge: ({ kubelet, kubeletPid }): Verdict => {
    if (kubelet === undefined)
      return {
        severity: "unknown",
        found: `no kubelet runs here, nor what is known to start one: ${DISTRIBUTIONS.map(({ name }) => name).join(", ")}`,
      };
    const { startedBy, files } = kubelet;
    const from = [...files, "its flags"].join(", ");
    const service = serviceOf(startedBy);
    return kubeletPid === undefined
      ? {
          severity: "warning",
          found: `no kubelet runs; its settings are taken from ${from}`,
          remedy: `systemctl start ${service}, and: journalctl --unit ${service}`,
        }
      : {
          severity: "ok",
          found: `pid ${kubeletPid}${startedBy === undefined ? "" : `, started by ${startedBy.name}`}, with ${from}`,
        };
  },
});

/** The kubelet starts where swap is on. */
export const kubeletFailSwapOn = check({
  id: "kubelet-fail-swap-on",
  needs: ["kubelet"],
  right: "failSwapOn: false: else the kubelet does not start where swap is on",
  judge: ({ kubelet }): Verdict | undefined =>
    kubelet &&
    (kubelet.failSwapOn
      ? {
          severity: "error",
          found: "failSwapOn is true, its default",
          remedy: remedyFor(kubelet),
        }
      : { severity: "ok", found: "failSwapOn is false" }),
});

function remedyFor({ readsDropIns, isFailSwapOnFlag, startedBy, files }: KubeletSettings): string {
  const restart = `systemctl restart ${serviceOf(startedBy)}`;
  if (isFailSwapOnFlag) return `${WITHOUT_FLAG}, then: ${restart}`;
  if (readsDropIns)
    return startedBy === undefined
      ? install("kubelet", "--restart")
      : `${install("kubelet")}, then: ${restart}`;
  return `${howToStart(startedBy, files[0] ?? "its configuration file (--config)")}, then: ${restart}`;
}

/** The kubelet leaves swap limits to wasp. */
export const kubeletSwapBehavior = check({
  id: "kubelet-swap-behavior",
  needs: ["kubelet"],
  right:
    "memorySwap.swapBehavior is NoSwap, or not set: wasp leaves the limits to a kubelet that limits swap itself",
  judge: ({ kubelet }): Verdict | undefined => {
    if (kubelet === undefined) return undefined;
    const found = `swapBehavior is ${kubelet.swapBehavior || "not set, which is NoSwap"}`;
    return ["", "NoSwap"].includes(kubelet.swapBehavior)
      ? { severity: "ok", found }
      : {
          severity: "warning",
          found,
          remedy: "memorySwap: { swapBehavior: NoSwap } for the kubelet, and its restart",
        };
  },
});
