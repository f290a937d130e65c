import type { PodList } from "../cluster/pod-list.ts";
import type { AgentConfig } from "../config/agent/knobs.ts";
import { readPageBytes } from "../host/libc.ts";
import { formatLimit } from "../policy/kubernetes/quantity.ts";
import { LimitAgent } from "./limits/limit-agent.ts";
import type { ContainerView } from "./metrics/view.ts";
import { KubeletConfigPoll } from "./pods/kubelet-config-poll.ts";
import { followPods, kubeletOf } from "./pods/pod-source.ts";

// Looks for containers that the pods' status calls running and that were not found.
const LOOK_SECONDS = 1;
const LAST_LOOK_SECONDS = 3;

const nowSeconds = () => performance.now() / 1000;

const SILENT_LISTENER = {
  log: () => {},
  begin: () => {},
  onExact: () => {},
  onStart: () => {},
  onPass: () => {},
  onUnknownContainer: () => {},
  onKubeletLimit: () => {},
};

/** Result of one pass over the node's containers. */
export interface OnePass {
  readonly containers: readonly ContainerView[];
  /** Messages about pods, and values of pods, that could not be read. */
  readonly problems: readonly string[];
}

/** Does one pass over the node's containers. Fails with an Error if the node cannot be read or its pods cannot be listed. */
export async function runOnce(
  config: AgentConfig,
  env: Readonly<Record<string, string | undefined>>,
): Promise<OnePass> {
  using limits = new LimitAgent({
    fsroot: config.fsroot,
    pageBytes: readPageBytes(),
    config,
    nowSeconds,
    listener: SILENT_LISTENER,
    unseenSeconds: LAST_LOOK_SECONDS,
  });
  limits.start();
  const list = await firstPods(limits, config, env);
  limits.setPods(list);
  // The status may be older than the cgroups: a container that has just ended is not unseen.
  const end = nowSeconds() + LAST_LOOK_SECONDS;
  while (limits.sight.isUncertain && nowSeconds() <= end + LOOK_SECONDS) {
    await Bun.sleep(LOOK_SECONDS * 1000);
    limits.setPods(await firstPods(limits, config, env));
  }
  return { containers: limits.containers(), problems: list.problems };
}

function firstPods(
  limits: LimitAgent,
  config: AgentConfig,
  env: Readonly<Record<string, string | undefined>>,
): Promise<PodList> {
  const kubelet = kubeletOf(config);
  const configPoll = new KubeletConfigPoll(kubelet, nowSeconds, {
    onConfig: ({ swapBehavior }) => limits.setKubeletSwapBehavior(swapBehavior),
    onError: () => {},
  });
  const options = {
    config: () => config,
    env,
    kubelet,
    prepare: () => configPoll.refresh(),
    isIncomplete: () => false,
  };
  return new Promise((resolve, reject) => {
    const source = followPods(options, {
      onPods: (list) => {
        source.close();
        resolve(list);
      },
      onError: (error) => {
        source.close();
        reject(error);
      },
    });
  });
}

const HEADINGS = ["NAMESPACE", "POD", "CONTAINER", "STATE", "REASON", "ENTITLED", "IN FORCE", "SWAPPED OUT"];

/** Returns the rows of a table of containers, headings first, sorted by pod; limits in bytes of swap. */
export function containerRows(containers: readonly ContainerView[]): string[][] {
  return [HEADINGS, ...containers.map(rowOf).sort((a, b) => (a.join("\0") < b.join("\0") ? -1 : 1))];
}

function rowOf(view: ContainerView): string[] {
  const { namespace, pod, container, state, reason, entitledBytes, effectiveBytes, swapUsageBytes } = view;
  const names = [namespace ?? "-", pod ?? view.podUid, container ?? view.id.slice(0, 12)];
  const figures = [entitledBytes, effectiveBytes, swapUsageBytes];
  return [
    ...names,
    state,
    reason,
    ...figures.map((bytes) => (bytes === undefined ? "-" : formatLimit(bytes))),
  ];
}
