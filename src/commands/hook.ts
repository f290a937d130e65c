// Failure posture: the hook fails open, because a runtime aborts a container whose hook fails. After any error the
// container starts without wasp's limit, the exit status is 0, and one line of the log has the reason.
import type { CommandDef } from "citty";
import { HOOK_DEFAULTS, type HookConfig } from "../config/hook/defaults.ts";
import { type ContainerCgroup, locateContainerCgroup } from "../host/container-cgroup.ts";
import { writeHookLog } from "../host/hook-log.ts";
import { hasKubeletLimitsMark } from "../host/kubelet-limits-mark.ts";
import { readNodeCapacity } from "../host/meminfo.ts";
import { type OciState, parseOciState, readOciContainer } from "../host/oci-bundle.ts";
import { readStdin } from "../host/stdin.ts";
import { SwapLimit } from "../host/swap-limit.ts";
import type { Event } from "../log/events.ts";
import { formatEvent } from "../log/format-event.ts";
import { formatLimit } from "../policy/kubernetes/quantity.ts";
import type { LeaveReason } from "../policy/limits/container.ts";
import { classifyOciContainer, podIdentityOf } from "../policy/limits/oci-container.ts";
import { decideSwapLimit } from "../policy/limits/swap-limit.ts";
import { EXIT_SUCCESS } from "./exit-status.ts";

const MAX_STATE_BYTES = 4 * 1024 * 1024;
const DEADLINE_MILLISECONDS = 2000;
// The kernel rounds limits down to whole pages; the largest page of Linux is 64 KiB (arm64).
const LARGEST_PAGE_BYTES = 65536;

/** The command `wasp hook`, which `runHook` runs. */
export const hookCommand: CommandDef = {
  meta: {
    name: "hook",
    description:
      "Write a starting container's swap limit (an OCI hook: it takes the runtime's state on standard input)",
  },
  args: async () => {
    const [{ flagsOf }, { HookConfigSchema }] = await Promise.all([
      import("../config/flags.ts"),
      import("../config/hook/knobs.ts"),
    ]);
    return flagsOf(HookConfigSchema);
  },
};

/** Runs the hook with the flags of its command line; returns the exit status, which is always 0. */
export async function runHook(argv: readonly string[]): Promise<number> {
  const config = argv.length === 0 ? HOOK_DEFAULTS : await configOf(argv).catch((error: Error) => error);
  const logFile = config instanceof Error ? undefined : config.logFile;
  const fields: HookFields = {};
  try {
    // The state is read even if the flags are wrong: a runtime may treat a hook that does not read it as failed.
    const state = stateOfStdin();
    if (!(state instanceof Error)) fields["id"] = state.id;
    if (config instanceof Error) throw config;
    if (state instanceof Error) throw state;
    const event = limitContainer(config, state, fields);
    writeHookLog(logFile, event === "swap-limit-unmet" ? "warning" : "info", formatEvent(event, fields));
  } catch (error) {
    fields["error"] = (error as Error).message;
    writeHookLog(logFile, "warning", formatEvent("hook-failed", fields));
  }
  return EXIT_SUCCESS;
}

/** Fields of the log line, filled step by step, so that the line of an error names the container, too. */
type HookFields = Record<string, string | number | undefined>;

async function configOf(argv: readonly string[]): Promise<HookConfig> {
  const [{ readFlags }, { HookConfigSchema, hookConfig }] = await Promise.all([
    import("../config/flags.ts"),
    import("../config/hook/knobs.ts"),
  ]);
  return hookConfig(readFlags(argv, HookConfigSchema));
}

function stateOfStdin(): OciState | Error {
  try {
    return parseOciState(readStdin(MAX_STATE_BYTES, DEADLINE_MILLISECONDS));
  } catch (error) {
    return error as Error;
  }
}

function limitContainer(config: HookConfig, state: OciState, fields: HookFields): Event {
  const oci = readOciContainer(config.fsroot, state);
  Object.assign(fields, podIdentityOf(oci.annotations));
  const node = readNodeCapacity(config.fsroot);
  const classified = classifyOciContainer(oci, node);
  if ("leave" in classified) {
    fields["reason"] = classified.leave;
    return "swap-limit-left";
  }
  const cgroup = locateContainerCgroup(config.fsroot, state.pid, classified.cgroup);
  const swapLimit = new SwapLimit(cgroup);
  const decision = decideSwapLimit(classified.container, node, config);
  if (decision.limitBytes > 0 && isLeftToKubelet(cgroup)) {
    fields["reason"] = "kubelet-limited-swap" satisfies LeaveReason;
    return "swap-limit-left";
  }
  if (!swapLimit.isPossible && decision.limitBytes !== Number.POSITIVE_INFINITY) {
    fields["reason"] = "no-memory-limit" satisfies LeaveReason;
    return "swap-limit-left";
  }
  Object.assign(fields, {
    reason: decision.reason,
    limitBytes: formatLimit(decision.limitBytes),
    ignoredOverride: decision.ignoredOverride,
    requestBytes: classified.container.memoryRequest.lowBytes,
    memoryTotalBytes: node.memoryTotalBytes,
    swapTotalBytes: node.swapTotalBytes,
  });
  return act(config, swapLimit, decision.limitBytes, fields);
}

// A kubelet in LimitedSwap writes 0 for a container that gets none, as one without swap does for all: its agent knows.
function isLeftToKubelet({ version, ancestors }: ContainerCgroup): boolean {
  return version === 2 && hasKubeletLimitsMark(ancestors);
}

function act(config: HookConfig, swapLimit: SwapLimit, limitBytes: number, fields: HookFields): Event {
  if (config.dryRun) {
    fields["effectiveBytes"] = formatLimit(swapLimit.read());
    return "swap-limit-planned";
  }
  const { beforeBytes, effectiveBytes, writes } = swapLimit.write(limitBytes);
  fields["beforeBytes"] = formatLimit(beforeBytes);
  fields["effectiveBytes"] = formatLimit(effectiveBytes);
  const isMet = limitBytes === effectiveBytes || limitBytes - effectiveBytes < LARGEST_PAGE_BYTES;
  if (!isMet) return "swap-limit-unmet";
  return writes > 0 ? "swap-limit-set" : "swap-limit-kept";
}
