import type { PartPlan } from "../engine/plan.ts";
import type { KubeletFacts, KubeletStarter } from "./facts.ts";
import { asDistributionSettings } from "./patch-text.ts";

/** Conditions under which swap is set up on a host with a kubelet. */
export interface SwapInstallContext {
  /** True if the same run configures the kubelet. */
  readonly withKubelet: boolean;
  /** True if the host has swap, or gets it from an earlier installation at its next start. */
  readonly hasSwap: boolean;
  /** True if swap is to be set up whatever the kubelet's settings are. */
  readonly ignoreKubelet: boolean;
}

/**
 * Refuses to set up swap on a node whose kubelet would not restart with swap on (failSwapOn defaults to true). It is a
 * note instead where swap is on already, where the kubelet has no configuration yet, or with --ignore-kubelet.
 */
export function requireKubeletAllowsSwap(
  swap: PartPlan,
  kubelet: KubeletFacts,
  { withKubelet, hasSwap, ignoreKubelet }: SwapInstallContext,
): PartPlan {
  const isAllowed = allowsSwap(kubelet) || (withKubelet && kubelet.dropInFolder !== undefined);
  const isPlanned = swap.steps.length > 0 || swap.refusals.length > 0;
  if (!isPlanned || !kubelet.isThere || isAllowed) return swap;
  const complaint = `the kubelet does not start where swap is on: ${remedyFor(kubelet, withKubelet)}`;
  if (hasSwap || ignoreKubelet || !kubelet.isConfigKnown)
    return { ...swap, notes: [...swap.notes, complaint] };
  const override = "or use --ignore-kubelet if something else does that";
  return { ...swap, steps: [], refusals: [...swap.refusals, `${complaint}, ${override}`] };
}

function allowsSwap({ failSwapOnNow, failSwapOnFlag }: KubeletFacts): boolean {
  return failSwapOnFlag === undefined ? failSwapOnNow?.value === false : !failSwapOnFlag;
}

function remedyFor(kubelet: KubeletFacts, withKubelet: boolean): string {
  const { failSwapOnFlag, failSwapOnNow, configFile, startedBy, dropInFolder } = kubelet;
  if (failSwapOnFlag === true) return REMOVE_FLAG;
  const orPart = dropInFolder !== undefined && !withKubelet ? ", or install the kubelet's part too" : "";
  const file = failSwapOnNow?.setBy ?? configFile ?? "its configuration file (--config)";
  return `${setFailSwapOnFalse(startedBy, file)}${orPart}`;
}

/** Remedy for a kubelet whose flag overrides all files. */
export const REMOVE_FLAG = "remove --fail-swap-on from the kubelet's flags";

/**
 * Returns the remedy for a kubelet that does not start with swap on: a field in its file, or a setting of its
 * distribution, which writes that file itself.
 */
export function setFailSwapOnFalse(startedBy: KubeletStarter | undefined, file: string): string {
  if (startedBy === undefined) return `set failSwapOn: false in ${file}`;
  const { settings } = startedBy;
  return `set ${asDistributionSettings({ failSwapOn: false }, settings)} in ${settings.place}`;
}
