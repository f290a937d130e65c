import { binary } from "../binary/rules.ts";
import { nri } from "../containerd/rules.ts";
import type { Finding } from "../finding/finding.ts";
import type { Check } from "../finding/rule.ts";
import { hookWhereNeeded } from "../hook/needed-rule.ts";
import { hookLoaded, hooksValid } from "../hook/rules.ts";
import { kubelet, kubeletFailSwapOn, kubeletSwapBehavior } from "../kubelet/rules.ts";
import { swapDisk, swapEncryption, swapPriority } from "../swap/disk-rules.ts";
import { swap, swapAfterBoot, swapSize } from "../swap/rules.ts";
import { ioLatency, ioLatencyAfterBoot } from "../system-slice/io-latency-rules.ts";
import { systemSlice, systemSliceAfterBoot } from "../system-slice/rules.ts";
import type { Host } from "../target/host.ts";
import type { CheckFacts, KnownFacts } from "./facts.ts";
import { readCheckFacts } from "./read-facts.ts";
import {
  cgroupVersion,
  kernel,
  pressure,
  swapController,
  swappiness,
  tmpfsNoswap,
  zswap,
} from "./rules/kernel.ts";
import { binaryOwner, hookOwner } from "./rules/owners.ts";
import {
  agent,
  containerCgroups,
  earlyoom,
  restart,
  runtime,
  swapReach,
  systemdOomd,
  waspAgent,
} from "./rules/services.ts";

/** All checks of a host, in the order of the report. */
const CHECKS: readonly Check<KnownFacts>[] = [
  kernel,
  cgroupVersion,
  swapController,
  pressure,
  swap,
  swapSize,
  swapAfterBoot,
  swapDisk,
  swapEncryption,
  swapPriority,
  zswap,
  swappiness,
  tmpfsNoswap,
  runtime,
  nri,
  binary,
  binaryOwner,
  hookWhereNeeded,
  hookOwner,
  hookLoaded,
  hooksValid,
  systemSlice,
  systemSliceAfterBoot,
  ioLatency,
  ioLatencyAfterBoot,
  kubelet,
  kubeletFailSwapOn,
  kubeletSwapBehavior,
  restart,
  containerCgroups,
  swapReach,
  agent,
  waspAgent,
  systemdOomd,
  earlyoom,
];

/** Runs all checks on the facts about a host; a check of something that the host does not have returns no finding. */
export function runChecks(facts: CheckFacts): Finding[] {
  return CHECKS.flatMap((check) => check(facts) ?? []);
}

/** Checks everything that wasp needs on a host or installs there; changes nothing and never throws. */
export function checkHost(host: Host): Finding[] {
  return runChecks(readCheckFacts(host));
}
