/** What each alert makes of nodes to which something happens; promtool plays them through. */

/** A series of a node as its exporter gives it, once a minute. */
export interface CaseSeries {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string;
  /** In promtool's notation: `0+5x30` begins with 0 and adds 5 thirty times. */
  readonly values: string;
}

/** An alert as it reaches whoever is told. */
export interface Firing {
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
}

/** One course of events, and what an alert makes of it after so many minutes. */
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
const crossed = (values: string) => series("wasp_threshold_crossed", values, { threshold: "swap-stall" });
const answered = (answer: string, values: string) => series("wasp_evictions_total", values, { answer });
const agentSwap = (values: string, node: string) => series("wasp_node_swap_bytes", values, {}, node);
const started = (hook: string, values: string) => series("wasp_container_starts_total", values, { hook });
const stall = { scope: "node", resource: "memory", kind: "some", window: "300s" };
const stalled = (values: string) => series("wasp_pressure_stall_ratio", values, stall);
const restored = (values: string) => series("wasp_swap_limit_drifts_total", values);
const highRestored = (values: string) => series("wasp_swap_reach_restores_total", values);
const lastPass = (values: string) => series("wasp_last_pass_timestamp_seconds", values);
const lists = (outcome: string, values: string) =>
  series("wasp_pod_list_requests_total", values, { source: "kubelet", outcome });
const used = (values: string) => [
  series("wasp_node_swap_bytes", "10000000000x30"),
  series("wasp_node_swap_used_bytes", values),
];

/** All cases; each alert has one in which it fires, and one in which it does not. */
export const CASES: readonly Case[] = [
  ...of("NodeSwapping", 25, [
    {
      name: "pages go in and out all the time",
      series: [swapIn("0+30000x30"), swapOut("0+60000x30")],
      firing: `${ONE} swaps 1.5k pages a second in and out, for 15 minutes. By itself that hurts nobody.`,
    },
    {
      name: "memory is put to rest, once",
      series: [swapIn("0x30"), swapOut("0+120000x9 1080000x30")],
      atMinutes: 10,
    },
    { name: "a little moves", series: [swapIn("0+12000x30"), swapOut("0+12000x30")] },
  ]),
  ...of("NodeHighSwapActivity", 20, [
    {
      name: "work waits for unchanged pages that come back, and nothing is written",
      series: [swapIn("0+18000x30"), swapOut("0x30"), waiting("0+12x30")],
      firing: `300 pages a second come back from swap on ${ONE}, for 10 minutes, while work there waits for memory.`,
    },
    {
      name: "the kernel tells nothing of who waits",
      series: [swapIn("0+18000x30"), swapOut("0+18000x30")],
      firing: `300 pages a second come back from swap on ${ONE}, for 10 minutes, while work there waits for memory.`,
    },
    {
      name: "the disk is fast enough that nobody waits",
      series: [swapIn("0+600000x30"), swapOut("0+600000x30"), waiting("0+1x30")],
    },
    {
      name: "pages only go out",
      series: [swapIn("0x30"), swapOut("0+600000x30"), waiting("0+12x30")],
    },
    {
      name: "work waits, but not for swap",
      series: [swapIn("0+3000x30"), swapOut("0x30"), waiting("0+12x30")],
    },
    {
      name: "a node wakes up in the morning",
      series: [swapIn("0+60000x6 360000x30"), swapOut("0x30"), waiting("0+12x6 72x30")],
      atMinutes: 8,
    },
  ]),
  ...of("WaspSwapPressure", 12, [
    {
      name: "no eviction has helped",
      series: [
        crossed("1x30"),
        series("wasp_threshold_crossed", "0x30", { threshold: "swap-stall-lasting" }),
      ],
      firing: `For 10 minutes a threshold that calls for an eviction has been crossed on ${ONE}: longer than one eviction takes.`,
    },
    { name: "one eviction is about to help", series: [crossed("0 1x6 0x30")], atMinutes: 6 },
    { name: "no threshold is crossed, whatever waits", series: [crossed("0x30"), stalled("0.5x30")] },
  ]),
  ...of("WaspSwapNearlyExhausted", 12, [
    {
      name: "swap is nearly full, and work waits",
      series: [...used("9500000000x30"), stalled("0.05x30")],
      firing: `95% of the swap of ${ONE} is in use, and work there waits for memory. Once it is full, nothing more can be swapped out, and pods are evicted or killed.`,
    },
    {
      name: "swap is nearly full, and the kernel tells nothing of who waits",
      series: used("9500000000x30"),
      firing: `95% of the swap of ${ONE} is in use, and work there waits for memory. Once it is full, nothing more can be swapped out, and pods are evicted or killed.`,
    },
    { name: "swap is full of what nobody needs", series: [...used("9900000000x30"), stalled("0.001x30")] },
    {
      name: "it is over soon",
      series: [...used("0 9500000000x8 0x20"), stalled("0.05x30")],
      atMinutes: 8,
    },
    { name: "there is room", series: [...used("8000000000x30"), stalled("0.5x30")] },
    {
      name: "there is no swap",
      series: [agentSwap("0x30", ONE), series("wasp_node_swap_used_bytes", "0x30"), stalled("0.5x30")],
    },
  ]),
  ...of("WaspEvictionBlocked", 20, [
    {
      name: "a disruption budget allows none",
      series: [crossed("1x30"), answered("blocked", "0+1x30"), answered("accepted", "0x30")],
      firing: refused(15),
    },
    {
      name: "the next pod went",
      series: [crossed("1x30"), answered("blocked", "0+1x30"), answered("accepted", "0x10 1x20")],
    },
    {
      name: "a virtual machine is on its way",
      series: [crossed("1x30"), answered("blocked", "0+1x30"), answered("evacuating", "0x10 1x20")],
    },
    { name: "the pressure is over", series: [crossed("1x10 0x20"), answered("blocked", "0+1x10 10x20")] },
    {
      name: "the pod had gone by itself",
      series: [crossed("1x30"), answered("failed", "0+1x30"), answered("gone", "0x10 1x20")],
    },
    {
      name: "nobody was asked for",
      series: [crossed("1x30"), answered("blocked", "0x30"), answered("accepted", "0x30")],
    },
    {
      name: "one was refused just now",
      series: [crossed("0x15 1x15"), answered("blocked", "0x16 1x15"), answered("accepted", "0x30")],
    },
    { name: "only decisions are asked for", series: [crossed("1x30"), answered("dry-run", "0+1x30")] },
  ]),
  ...of("WaspEvictionBlocked", 15, [
    {
      name: "the API server cannot be asked",
      series: [crossed("1x30"), answered("failed", "0+10x30")],
      firing: refused(150),
    },
  ]),
  ...of("WaspEvictionBlocked", 45, [
    {
      name: "all pods are never to be evicted, and were asked long ago",
      series: [crossed("1x60"), answered("never", "0x5 3x60")],
      firing: refused(3),
    },
    {
      name: "a budget allows none any more, after it allowed one",
      series: [crossed("1x60"), answered("blocked", "0x20 0+1x40"), answered("accepted", "0x10 1x50")],
      firing: refused(15),
    },
    {
      name: "it has evicted as many as it may",
      series: [crossed("1x60"), answered("blocked", "0x3 2x57"), answered("accepted", "0x5 6x55")],
    },
  ]),
  ...of("WaspAgentAbsent", 18, [
    {
      name: "a node with swap has none",
      series: [swapTotal("1000x30", ONE), swapTotal("1000x30", TWO), agentSwap("1000x30", ONE)],
      firing: absent(1),
      labels: {},
    },
    {
      name: "there is none at all",
      series: [swapTotal("1000x30", ONE), swapTotal("1000x30", TWO)],
      firing: absent(2),
      labels: {},
    },
    {
      name: "only nodes without swap have none",
      series: [swapTotal("1000x30", ONE), swapTotal("0x30", TWO), agentSwap("1000x30", ONE)],
    },
    {
      name: "one was renewed",
      series: [swapTotal("1000x30", ONE), agentSwap("1000x5 stale _x3 1000x30", ONE)],
      atMinutes: 8,
    },
  ]),
  ...of("WaspAgentNotReady", 24, [
    {
      name: "it has never learned of its pods",
      series: [lastPass("0x30")],
      firing: blind(),
    },
    {
      name: "its kubelet has answered no more",
      series: [lastPass("1700000000x30"), lists("failure", "0+2x30"), lists("success", "100x30")],
      firing: blind(),
    },
    {
      name: "its kubelet answers now and then",
      series: [
        lastPass("1700000000x30"),
        lists("failure", "0+2x30"),
        lists("success", "0x4 1x4 2x4 3x4 4x30"),
      ],
    },
    { name: "it takes a while to start", series: [lastPass("0x8 1700000000x30")], atMinutes: 8 },
    {
      name: "nothing happens, which needs no list",
      series: [lastPass("1700000000x30"), lists("failure", "7x30"), lists("success", "100x30")],
    },
  ]),
  ...of("WaspLimitContested", 50, [
    {
      name: "somebody fights for a container's limit",
      series: [restored("0+1x60"), highRestored("0x60")],
      firing: contested(15),
    },
    {
      name: "somebody fights for memory.high of kubepods",
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
      name: "nothing starts with it",
      series: [started("missing", "0+1x60"), started("seen", "0x60")],
      firing: `Of the containers that started on ${ONE} within the hour and that the hook gives swap, none had it at its start: 45 of them.`,
    },
    { name: "it ran for another", series: [started("missing", "0+1x60"), started("seen", "0x20 1x40")] },
    { name: "some came just now", series: [started("missing", "0x38 5x22"), started("seen", "0x60")] },
    { name: "too few have started", series: [started("missing", "0x10 2x50"), started("seen", "0x60")] },
  ]),
];

interface Course {
  readonly name: string;
  /** Another time than that of the other courses. */
  readonly atMinutes?: number;
  readonly series: readonly CaseSeries[];
  /** The description of the alert that fires; none if left out. */
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
  return `For 15 minutes ${count} of the nodes that have swap have had no agent that Prometheus can reach. New containers there have what the hook gave them, or no swap.`;
}

function refused(count: number): string {
  return `Every eviction that was asked for on ${ONE} of late was refused, ${count} of them, and its pods are stalled still.`;
}

function blind(): string {
  return `For 10 minutes the agent of ${ONE} has not been told which pods run there. It keeps the limits that it knows; those of new containers wait, and nobody new is evicted for swap.`;
}

function contested(count: number): string {
  return `In 15 minutes ${count} limits of ${ONE} had been changed by somebody else and were put back, and so it goes for half an hour. In between they are not what they should be.`;
}
