/** Alert cases: the course of a node's series, and the expected alerts. promtool evaluates them. */

/** Series of a node, with one sample a minute. */
export interface CaseSeries {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string;
  /** Values in promtool's notation: `0+5x30` begins with 0 and adds 5 thirty times. */
  readonly values: string;
}

/** Alert as Alertmanager receives it. */
export interface Firing {
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
}

/** Course of a node's series, and the alerts that fire after `atMinutes`. */
export interface Case {
  readonly alert: string;
  readonly name: string;
  readonly series: readonly CaseSeries[];
  readonly atMinutes: number;
  readonly firing: readonly Firing[];
}

const ONE = "worker-1";
const TWO = "worker-2";
const OF_NODE_EXPORTER = { job: "node-exporter", instance: ONE };

const swapIn = (values: string) => series("node_vmstat_pswpin", values);
const swapOut = (values: string) => series("node_vmstat_pswpout", values);
const waiting = (values: string) => series("node_pressure_memory_waiting_seconds_total", values);
const swapTotal = (bytes: string, node: string) => series("node_memory_SwapTotal_bytes", bytes, {}, node);
const crossed = (values: string) => series("wasp_threshold_crossed", values, { threshold: "swap-harm" });
const held = (reason: string, values: string) => series("wasp_eviction_held", values, { reason });
const answered = (answer: string, values: string) => series("wasp_evictions_total", values, { answer });
const agentSwap = (values: string, node: string) => series("wasp_node_swap_bytes", values, {}, node);
const started = (hook: string, values: string) => series("wasp_container_starts_total", values, { hook });
const stall = { scope: "node", resource: "memory", kind: "some", window: "300s" };
const stalled = (values: string) => series("wasp_pressure_stall_ratio", values, stall);
const restored = (values: string) => series("wasp_swap_limit_drifts_total", values);
const highRestored = (values: string) => series("wasp_swap_reach_restores_total", values);
const unseen = (values: string) => series("wasp_containers", values, { state: "unseen" });
const stoodDown = (values: string) => series("wasp_stood_down", values);
const lastPass = (values: string) => series("wasp_last_pass_timestamp_seconds", values);
const lists = (outcome: string, values: string) =>
  series("wasp_pod_list_requests_total", values, { source: "kubelet", outcome });
const used = (values: string) => [
  series("wasp_node_swap_bytes", "10000000000x30"),
  series("wasp_node_swap_used_bytes", values),
];

const HELD = `The harm on ${ONE} lasts, and the pods that would help are never evicted, or two evictions have not helped. The node's condition SwapPressure names the reason.`;
const REFUSED = `The evictions that would relieve ${ONE} are refused, and its pods are still harmed.`;

/** All cases: each alert has one in which it fires, and one in which it does not. */
export const CASES: readonly Case[] = [
  ...of("NodeSwapping", 25, [
    {
      name: "pages are swapped in and out continuously",
      series: [swapIn("0+30000x30"), swapOut("0+60000x30")],
      firing: `${ONE} has swapped 1.5k pages a second in and out for 15 minutes. That alone is harmless.`,
    },
    {
      name: "cold memory is swapped out once",
      series: [swapIn("0x30"), swapOut("0+120000x9 1080000x30")],
      atMinutes: 10,
    },
    { name: "few pages are swapped", series: [swapIn("0+12000x30"), swapOut("0+12000x30")] },
  ]),
  ...of("NodeHighSwapActivity", 20, [
    {
      name: "tasks wait for unmodified pages that are swapped in, and nothing is written",
      series: [swapIn("0+18000x30"), swapOut("0x30"), waiting("0+12x30")],
      firing: `${ONE} has swapped 300 pages a second in for 10 minutes, while tasks wait for memory.`,
    },
    {
      name: "the kernel has no PSI",
      series: [swapIn("0+18000x30"), swapOut("0+18000x30")],
      firing: `${ONE} has swapped 300 pages a second in for 10 minutes, while tasks wait for memory.`,
    },
    {
      name: "the disk is so fast that no task waits",
      series: [swapIn("0+600000x30"), swapOut("0+600000x30"), waiting("0+1x30")],
    },
    {
      name: "pages are only swapped out",
      series: [swapIn("0x30"), swapOut("0+600000x30"), waiting("0+12x30")],
    },
    {
      name: "tasks wait, but not for swap",
      series: [swapIn("0+3000x30"), swapOut("0x30"), waiting("0+12x30")],
    },
    {
      name: "a node becomes busy in the morning",
      series: [swapIn("0+60000x6 360000x30"), swapOut("0x30"), waiting("0+12x6 72x30")],
      atMinutes: 8,
    },
  ]),
  ...of("WaspSwapPressure", 12, [
    {
      name: "no eviction has helped",
      series: [
        crossed("1x30"),
        series("wasp_threshold_crossed", "0x30", { threshold: "swap-and-memory-used-up" }),
      ],
      firing: `An eviction threshold has been crossed on ${ONE} for 10 minutes, which is longer than one eviction takes.`,
    },
    { name: "one eviction relieves the pressure", series: [crossed("0 1x6 0x30")], atMinutes: 6 },
    { name: "tasks wait, but no threshold is crossed", series: [crossed("0x30"), stalled("0.5x30")] },
  ]),
  ...of("WaspSwapNearlyExhausted", 12, [
    {
      name: "swap is nearly full, and tasks wait",
      series: [...used("9500000000x30"), stalled("0.05x30")],
      firing: `95% of the swap of ${ONE} is in use, and tasks wait for memory. When swap is full, nothing more can be swapped out, and pods are evicted or killed.`,
    },
    {
      name: "swap is nearly full, and the kernel has no PSI",
      series: used("9500000000x30"),
      firing: `95% of the swap of ${ONE} is in use, and tasks wait for memory. When swap is full, nothing more can be swapped out, and pods are evicted or killed.`,
    },
    { name: "swap is full of cold memory", series: [...used("9900000000x30"), stalled("0.001x30")] },
    {
      name: "swap is nearly full for less than 10 minutes",
      series: [...used("0 9500000000x8 0x20"), stalled("0.05x30")],
      atMinutes: 8,
    },
    { name: "swap is not nearly full", series: [...used("8000000000x30"), stalled("0.5x30")] },
    {
      name: "the node has no swap",
      series: [agentSwap("0x30", ONE), series("wasp_node_swap_used_bytes", "0x30"), stalled("0.5x30")],
    },
  ]),
  ...of("WaspEvictionHeld", 12, [
    {
      name: "those that would help are never evicted",
      series: [crossed("1x30"), held("relieving-kept", "1x30")],
      firing: HELD,
    },
    {
      name: "two evictions have not helped, and a stall that oscillates has other reasons in between",
      series: [
        crossed("1x30"),
        held("not-relieved", "_ 1 _ 1 1 _ 1 1 1 _ 1 _ 1 1x10"),
        answered("accepted", "0 2x30"),
        answered("dry-run", "0x30"),
      ],
      firing: HELD,
    },
    {
      name: "two evictions of a dry run have not helped",
      series: [crossed("1x30"), held("not-relieved", "_x3 1x27"), answered("dry-run", "0 1 2x30")],
    },
    {
      name: "the reason shows for a moment",
      series: [crossed("1x30"), held("relieving-kept", "_x8 1 stale _x20")],
    },
    {
      name: "the agent waits for relief",
      series: [crossed("1x30"), held("relieving-blocked", "_x30"), held("not-relieved", "_x30")],
    },
  ]),
  ...of("WaspEvictionBlocked", 20, [
    {
      name: "a disruption budget blocks all evictions",
      series: [crossed("1x30"), answered("blocked", "0+1x30"), answered("accepted", "0x30")],
      firing: REFUSED,
    },
    {
      name: "the next pod was evicted",
      series: [crossed("1x30"), answered("blocked", "0+1x30"), answered("accepted", "0x10 1x20")],
    },
    {
      name: "a virtual machine is being evacuated",
      series: [crossed("1x30"), answered("blocked", "0+1x30"), answered("evacuating", "0x10 1x20")],
    },
    { name: "the pressure is over", series: [crossed("1x10 0x20"), answered("blocked", "0+1x10 10x20")] },
    {
      name: "the pod was already gone",
      series: [crossed("1x30"), answered("failed", "0+1x30"), answered("gone", "0x10 1x20")],
    },
    {
      name: "no eviction was requested",
      series: [crossed("1x30"), answered("blocked", "0x30"), answered("accepted", "0x30")],
    },
    {
      name: "one eviction was refused just now",
      series: [crossed("0x15 1x15"), answered("blocked", "0x16 1x15"), answered("accepted", "0x30")],
    },
    { name: "evictionMode is DryRun", series: [crossed("1x30"), answered("dry-run", "0+1x30")] },
    {
      name: "one eviction was accepted and has not helped, and the others are refused",
      series: [
        crossed("1x30"),
        answered("blocked", "0x12 1x18"),
        answered("accepted", "0x8 1x22"),
        held("relieving-blocked", "_x11 1x20"),
      ],
      firing: REFUSED,
    },
  ]),
  ...of("WaspEvictionBlocked", 15, [
    {
      name: "the API server is unreachable",
      series: [crossed("1x30"), answered("failed", "0+10x30")],
      firing: REFUSED,
    },
  ]),
  ...of("WaspEvictionBlocked", 45, [
    {
      name: "no pod can ever be evicted, and the last refusal is half an hour old",
      series: [crossed("1x60"), answered("never", "0x5 3x60")],
      firing: REFUSED,
    },
    {
      name: "a budget blocks evictions after it allowed one",
      series: [crossed("1x60"), answered("blocked", "0x20 0+1x40"), answered("accepted", "0x10 1x50")],
      firing: REFUSED,
    },
    {
      name: "the agent has reached maxEvictionsPerHour",
      series: [crossed("1x60"), answered("blocked", "0x3 2x57"), answered("accepted", "0x5 6x55")],
    },
  ]),
  ...of("WaspAgentAbsent", 18, [
    {
      name: "a node with swap has no agent",
      series: [swapTotal("1000x30", ONE), swapTotal("1000x30", TWO), agentSwap("1000x30", ONE)],
      firing: absent(1),
      labels: {},
    },
    {
      name: "no node has an agent",
      series: [swapTotal("1000x30", ONE), swapTotal("1000x30", TWO)],
      firing: absent(2),
      labels: {},
    },
    {
      name: "only a node without swap has no agent",
      series: [swapTotal("1000x30", ONE), swapTotal("0x30", TWO), agentSwap("1000x30", ONE)],
    },
    {
      name: "an agent was restarted",
      series: [swapTotal("1000x30", ONE), agentSwap("1000x5 stale _x3 1000x30", ONE)],
      atMinutes: 8,
    },
  ]),
  ...of("WaspAgentNotReady", 24, [
    {
      name: "the agent has never listed its pods",
      series: [lastPass("0x30")],
      firing: blind(),
    },
    {
      name: "the kubelet no longer responds",
      series: [lastPass("1700000000x30"), lists("failure", "0+2x30"), lists("success", "100x30")],
      firing: blind(),
    },
    {
      name: "the kubelet responds intermittently",
      series: [
        lastPass("1700000000x30"),
        lists("failure", "0+2x30"),
        lists("success", "0x4 1x4 2x4 3x4 4x30"),
      ],
    },
    { name: "the agent starts slowly", series: [lastPass("0x8 1700000000x30")], atMinutes: 8 },
    {
      name: "no list is requested",
      series: [lastPass("1700000000x30"), lists("failure", "7x30"), lists("success", "100x30")],
    },
  ]),
  ...of("WaspContainerUnseen", 20, [
    {
      name: "two containers are in no cgroup that the agent finds",
      series: [unseen("2x30"), stoodDown("0x30")],
      firing: `For 10 minutes 2 containers of ${ONE} have run by their status, but in no cgroup that the agent can find. They may have swap without a limit.`,
    },
    { name: "all are found", series: [unseen("0x30"), stoodDown("0x30")] },
    { name: "they are found again", series: [unseen("0 2x8 0x30"), stoodDown("0x40")] },
    { name: "the kubelet limits swap itself", series: [unseen("2x30"), stoodDown("1x30")] },
  ]),
  ...of("WaspLimitContested", 50, [
    {
      name: "a container's limit is contested",
      series: [restored("0+1x60"), highRestored("0x60")],
      firing: contested(15),
    },
    {
      name: "memory.high of kubepods is contested",
      series: [restored("0x60"), highRestored("0+2x60")],
      firing: contested(30),
    },
    {
      name: "many pods are resized at once",
      series: [restored("0+50x10 500x60"), highRestored("0x60")],
      atMinutes: 20,
    },
    {
      name: "a pod is resized now and then",
      series: [restored("0x5 3x9 6x9 9x9 12x9 15x9"), highRestored("0x60")],
    },
  ]),
  ...of("WaspHookMissing", 45, [
    {
      name: "no container starts with the hook",
      series: [started("missing", "0+1x60"), started("seen", "0x60")],
      firing: `45 containers that the hook grants swap started on ${ONE} within the last hour, and none had it at its start.`,
    },
    {
      name: "the hook ran for another container",
      series: [started("missing", "0+1x60"), started("seen", "0x20 1x40")],
    },
    {
      name: "the containers started just now",
      series: [started("missing", "0x38 5x22"), started("seen", "0x60")],
    },
    { name: "too few have started", series: [started("missing", "0x10 2x50"), started("seen", "0x60")] },
  ]),
];

interface Course {
  readonly name: string;
  /** Time of evaluation; by default that of all courses of the call. */
  readonly atMinutes?: number;
  readonly series: readonly CaseSeries[];
  /** Description of the alert; if not set, it must not fire. */
  readonly firing?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

function of(alert: string, afterMinutes: number, courses: readonly Course[]): Case[] {
  return courses.map(({ name, series, firing, labels, atMinutes = afterMinutes }) => {
    const ofNode = alert.startsWith("Node") ? OF_NODE_EXPORTER : { node: ONE };
    const fires = firing === undefined ? [] : [{ labels: labels ?? ofNode, description: firing }];
    return { alert, name, series, atMinutes, firing: fires };
  });
}

function series(
  metric: string,
  values: string,
  labels: Readonly<Record<string, string>> = {},
  node = ONE,
): CaseSeries {
  return { metric, labels, node, values };
}

function absent(count: number): string {
  return `For 15 minutes ${count} of the nodes with swap have had no agent that Prometheus can scrape. New containers there have the hook's limit, or no swap.`;
}

function blind(): string {
  return `For 10 minutes the agent of ${ONE} has had no list of its pods. It keeps the limits that it knows; new containers get none, and no new pod is evicted.`;
}

function contested(count: number): string {
  return `For half an hour another program has changed limits of ${ONE} and the agent has restored them, in the last 15 minutes ${count} times. Until each is restored, it is wrong.`;
}
