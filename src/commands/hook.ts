// Failure posture: the hook fails open. A runtime aborts a container whose hook fails, so whatever is wrong here, the
// container starts without wasp's limit, the exit status is 0, and one line in the log says why.
import type { CommandDef } from "citty";
import { HOOK_DEFAULTS, type HookConfig } from "../config/hook/defaults.ts";
import { locateContainerCgroup } from "../host/container-cgroup.ts";
import { writeHookLog } from "../host/hook-log.ts";
import { readNodeCapacity } from "../host/meminfo.ts";
import { type OciState, parseOciState, readOciContainer } from "../host/oci-bundle.ts";
import { readStdin } from "../host/stdin.ts";
import { SwapLimit } from "../host/swap-limit.ts";
import { type Event, formatEvent } from "../log/events.ts";
import { formatLimit } from "../policy/kubernetes/quantity.ts";
import type { LeaveReason } from "../policy/limits/container.ts";
import { classifyOciContainer, podIdentityOf } from "../policy/limits/oci-container.ts";
import { decideSwapLimit } from "../policy/limits/swap-limit.ts";
import { EXIT_SUCCESS } from "./exit-status.ts";

const MAX_STATE_BYTES = 4 * 1024 * 1024;
const DEADLINE_MILLISECONDS = 2000;
// Limits are kept in whole pages, rounded down; the largest page that Linux runs with is 64 KiB (arm64).
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
  const facts: Facts = {};
  try {
    // The state is read whatever is wrong with the flags: a runtime may take a hook that does not for a failure.
    const state = stateOfStdin();
    if (!(state instanceof Error)) facts["id"] = state.id;
    if (config instanceof Error) throw config;
    if (state instanceof Error) throw state;
    const event = limitContainer(config, state, facts);
    writeHookLog(logFile, event === "swap-limit-unmet" ? "warning" : "info", formatEvent(event, facts));
  } catch (error) {
    facts["error"] = (error as Error).message;
    writeHookLog(logFile, "warning", formatEvent("hook-failed", facts));
  }
  return EXIT_SUCCESS;
}

/** What has been learned so far, gathered on the way so that an error's line names the container too. */
type Facts = Record<string, string | number | undefined>;

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

function limitContainer(config: HookConfig, state: OciState, facts: Facts): Event {
  const oci = readOciContainer(config.fsroot, state);
  Object.assign(facts, podIdentityOf(oci.annotations));
  const node = readNodeCapacity(config.fsroot);
  const classified = classifyOciContainer(oci, node);
  if ("leave" in classified) {
    facts["reason"] = classified.leave;
    return "swap-limit-left";
  }
  const swapLimit = new SwapLimit(locateContainerCgroup(config.fsroot, state.pid, classified.cgroup));
  const decision = decideSwapLimit(classified.container, node, config);
  if (!swapLimit.isPossible && decision.limitBytes !== Number.POSITIVE_INFINITY) {
    facts["reason"] = "no-memory-limit" satisfies LeaveReason;
    return "swap-limit-left";
  }
  Object.assign(facts, {
    reason: decision.reason,
    limitBytes: formatLimit(decision.limitBytes),
    ignoredOverride: decision.ignoredOverride,
    requestBytes: classified.container.memoryRequest.lowBytes,
    memoryTotalBytes: node.memoryTotalBytes,
    swapTotalBytes: node.swapTotalBytes,
  });
  return act(config, swapLimit, decision.limitBytes, facts);
}

function act(config: HookConfig, swapLimit: SwapLimit, limitBytes: number, facts: Facts): Event {
  if (config.dryRun) {
    facts["effectiveBytes"] = formatLimit(swapLimit.read());
    return "swap-limit-planned";
  }
  const { beforeBytes, effectiveBytes, writes } = swapLimit.write(limitBytes);
  facts["beforeBytes"] = formatLimit(beforeBytes);
  facts["effectiveBytes"] = formatLimit(effectiveBytes);
  const isMet = limitBytes === effectiveBytes || limitBytes - effectiveBytes < LARGEST_PAGE_BYTES;
  if (!isMet) return "swap-limit-unmet";
  return writes > 0 ? "swap-limit-set" : "swap-limit-kept";
}
