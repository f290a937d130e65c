import type { Container } from "../../policy/limits/container.ts";
import { hookLimitOf, mayBeFromHook } from "../../policy/limits/hook-limit.ts";
import { type DecidedFinding, type FoundContainer, wholePages } from "../../policy/limits/reconcile.ts";
import { carriesKubeletLimit, kubeletLimitBelow } from "../../policy/limits/stand-down.ts";
import type { LimitContext } from "./limit-context.ts";

/**
 * Returns the finding with the kubelet's own limit for a container that certainly has more than that; undefined for
 * others, and for what a pod's annotation for memory QoS or wasp's NRI plugin gives.
 */
export function findKubeletExcess(
  found: FoundContainer,
  finding: DecidedFinding,
  container: Container,
  { node, pageBytes, isKubeletLimiting, isLimitOfNri }: LimitContext,
): DecidedFinding | undefined {
  if (!isKubeletLimiting || isLimitOfNri?.(found.id) === true) return undefined;
  if (["memory-qos-class", "memory-qos-annotation"].includes(finding.decision.reason)) return undefined;
  const decision = kubeletLimitBelow(container, found.effectiveBytes, node);
  if (decision === undefined) return undefined;
  const wantedBytes = wholePages(decision.limitBytes, pageBytes);
  return { ...finding, decision, wantedBytes, isBelowUsage: found.swapUsageBytes > wantedBytes };
}

/** Writer of a new container's first limit. */
export type FirstWriter = "kubelet" | "hook" | "other";

/**
 * Returns the writer of the first limit of a new container; undefined if that is undecidable, or wasp's NRI plugin put
 * the limit into its spec.
 */
export function firstWriterOf(
  arrived: Container,
  { id, effectiveBytes }: FoundContainer,
  { node, config, pageBytes, isLimitOfNri }: LimitContext,
): FirstWriter | undefined {
  if (isLimitOfNri?.(id) === true) return undefined;
  if (carriesKubeletLimit(arrived, effectiveBytes, node, pageBytes)) return "kubelet";
  const isHooks = mayBeFromHook(effectiveBytes, hookLimitOf(arrived, node, config, pageBytes));
  if (isHooks === undefined) return undefined;
  return isHooks ? "hook" : "other";
}
