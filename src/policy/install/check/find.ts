import { binary } from "../../../install/binary/rules.ts";
import type { CheckFacts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import type { Check } from "./rule.ts";
import { agent } from "./rules/agent.ts";
import { cgroupVersion, swapController } from "./rules/cgroups.ts";
import { hook, hookLoaded, hooksValid } from "./rules/hook.ts";
import { ioLatency, ioLatencyAfterBoot } from "./rules/io-latency.ts";
import { kernel } from "./rules/kernel.ts";
import { kubelet, kubeletFailSwapOn, kubeletSwapBehavior } from "./rules/kubelet.ts";
import { nri } from "./rules/nri.ts";
import { binaryOwner, hookOwner } from "./rules/owners.ts";
import { pressure } from "./rules/pressure.ts";
import { swappiness, zswap } from "./rules/reclaim.ts";
import { restart } from "./rules/restart.ts";
import { earlyoom, systemdOomd, waspAgent } from "./rules/rivals.ts";
import { runtime } from "./rules/runtime.ts";
import { swap, swapAfterBoot, swapSize } from "./rules/swap.ts";
import { swapDisk, swapEncryption, swapPriority } from "./rules/swap-disks.ts";
import { swapReach } from "./rules/swap-reach.ts";
import { systemSlice, systemSliceAfterBoot } from "./rules/system-slice.ts";
import { tmpfsNoswap } from "./rules/tmpfs.ts";

/** All that a host is checked for, in the order in which it is told. */
const CHECKS: readonly Check[] = [
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
  hook,
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
  swapReach,
  agent,
  waspAgent,
  systemdOomd,
  earlyoom,
];

/** Checks all that is to be checked by what is known of a host; what is about something that is not there is left out. */
export function findAll(facts: CheckFacts): Finding[] {
  return CHECKS.flatMap((check) => check(facts) ?? []);
}
