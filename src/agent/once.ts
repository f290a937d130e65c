import type { PodList } from "../cluster/pod-list.ts";
import type { AgentConfig } from "../config/agent/knobs.ts";
import { readPageBytes } from "../host/page-size.ts";
import { formatLimit } from "../policy/kubernetes/quantity.ts";
import { Agent } from "./limits/limit-agent.ts";
import type { ContainerView } from "./metrics/view.ts";
import { KubeletCheck } from "./pods/kubelet-config-poll.ts";
import { followPods, kubeletOf } from "./pods/pod-source.ts";

const nowSeconds = () => performance.now() / 1000;

/**
 * Does one pass over the node's containers and returns how each stands then. Fails with an Error when the node or its
 * pods cannot be learned of.
 */
export async function runOnce(
  config: AgentConfig,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ContainerView[]> {
  const listener = {
    onEvent: () => {},
    onExact: () => {},
    onStart: () => {},
    onPass: () => {},
    onUnknownContainer: () => {},
  };
  using agent = new Agent({
    fsroot: config.fsroot,
    pageBytes: readPageBytes(),
    config,
    nowSeconds,
    listener,
  });
  agent.start();
  agent.setPods(await firstPods(agent, config, env));
  return agent.containers();
}

function firstPods(agent: Agent, config: AgentConfig, env: Readonly<Record<string, string | undefined>>) {
  const kubelet = kubeletOf(config);
  const check = new KubeletCheck(kubelet, nowSeconds, {
    onConfig: ({ swapBehavior }) => agent.setKubeletSwapBehavior(swapBehavior),
    onError: () => {},
  });
  const options = {
    config: () => config,
    env,
    kubelet,
    prepare: () => check.refresh(),
    isWanting: () => false,
  };
  return new Promise<PodList>((resolve, reject) => {
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

/** The rows of a table of containers for people, headings first, sorted by pod; limits in bytes of swap. */
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
