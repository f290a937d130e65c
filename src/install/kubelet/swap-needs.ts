import type { PartPlan } from "../engine/plan.ts";
import type { KubeletFacts, KubeletStarter } from "./settings.ts";
import { asTaken } from "./settings-text.ts";

/** What there is to know before swap is set up on a host with a kubelet. */
export interface SwapCircumstances {
  /** Whether the same run gives the kubelet its settings. */
  readonly withKubelet: boolean;
  /** Whether the host has swap, or is to have it by an earlier run. */
  readonly hasSwap: boolean;
  /** Whether swap is wanted all the same. */
  readonly ignoreKubelet: boolean;
}

/**
 * Has the plan of swap heed the kubelet, which by default does not start where swap is on, and would be gone after its
 * next restart: a refusal, unless it is told otherwise, or in the same run, or somebody insists.
 */
export function heedKubelet(
  swap: PartPlan,
  kubelet: KubeletFacts,
  circumstances: SwapCircumstances,
): PartPlan {
  const { withKubelet, hasSwap, ignoreKubelet } = circumstances;
  const isSettled = startsWithSwap(kubelet) || (withKubelet && kubelet.dropInFolder !== undefined);
  const isSetUp = swap.steps.length > 0 || swap.refusals.length > 0;
  if (!isSetUp || !kubelet.isThere || isSettled) return swap;
  const complaint = `the kubelet does not start where swap is on: ${remedyFor(kubelet, withKubelet)}`;
  if (hasSwap || ignoreKubelet || !kubelet.isConfigKnown)
    return { ...swap, notes: [...swap.notes, complaint] };
  const insist = "or say --ignore-kubelet where that is seen to elsewhere";
  return { ...swap, steps: [], refusals: [...swap.refusals, `${complaint}, ${insist}`] };
}

function startsWithSwap({ failSwapOnNow, failSwapOnFlag }: KubeletFacts): boolean {
  return failSwapOnFlag === undefined ? failSwapOnNow?.value === false : !failSwapOnFlag;
}

function remedyFor(kubelet: KubeletFacts, withKubelet: boolean): string {
  const { failSwapOnFlag, failSwapOnNow, configFile, startedBy, dropInFolder } = kubelet;
  if (failSwapOnFlag === true) return WITHOUT_FLAG;
  const orPart = dropInFolder !== undefined && !withKubelet ? ", or install the kubelet's part too" : "";
  const place = failSwapOnNow?.setBy ?? configFile ?? "its configuration file (--config)";
  return `${howToStart(startedBy, place)}${orPart}`;
}

/** What is to be done where a flag counts for more than all files. */
export const WITHOUT_FLAG = "take --fail-swap-on away from what it is started with";

/** How a kubelet is told to start where swap is on; its own files are no place for that where something else writes them. */
export function howToStart(startedBy: KubeletStarter | undefined, place: string): string {
  if (startedBy === undefined) return `set failSwapOn: false in ${place}`;
  const { settings } = startedBy;
  return `set ${asTaken({ failSwapOn: false }, settings)} in ${settings.place}`;
}
