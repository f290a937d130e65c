/** A node whose pods use more memory than they may have together because of one of them, and an agent that evicts. */
import { expect } from "bun:test";
import type { FakeApiServer } from "../node/fake-api-server.ts";
import type { LogEntry } from "../node/running-wasp.ts";
import { ClusterNode } from "./cluster-node.ts";
import type { Guest } from "./guest.ts";
import { GuestAgent } from "./guest-agent.ts";
import { Load, prepareLoads } from "./load.ts";
import { untilHolds } from "./node-pods.ts";
import { readCapacity } from "./pods.ts";

/** Settings of a crowded node. */
export interface CrowdedNodeSpec {
  /** Namespace of the hog; by default one whose pods may be evicted. */
  readonly hogNamespace?: string;
  /** Value of the hog's memory.swap.max under the agent. */
  readonly hogSwapLimit: "max" | "0";
  /** Steps of trace-load.pl by which the hog does harm, where the pods may have so many MiB together. */
  readonly harmSteps: (roomMib: number) => readonly string[];
  /** Called before the agent starts. */
  readonly onServer?: (server: FakeApiServer) => void;
}

/** Time for each step of the pods, and for each reaction of the agent, on the reference machine. */
export const PATIENCE_SECONDS = 240;
/** Memory that each pod beside the hog uses again and again. */
export const NEIGHBOUR_MIB = 100;
/** Series of the harm of the most harmed pod. */
export const HARM = 'wasp_signal_ratio{signal="harm"}';

const MIB = 2 ** 20;
const KUBEPODS = "/sys/fs/cgroup/kubepods.slice";
// Reserved by the fake kubelet's configuration.
const RESERVED_BYTES = 1024 * MIB;
const NEIGHBOURS = ["neighbour-1", "neighbour-2"];
const NEIGHBOUR_STEPS = [
  `grow:${NEIGHBOUR_MIB}:100`,
  "await:use",
  // With some fresh memory: pods that only read back what was swapped out are not the usual case.
  `touch:${NEIGHBOUR_MIB}:1e6:0.5:5`,
];

/** The node, its hog before it does harm, two neighbours within their requests, and the agent. */
export class CrowdedNode implements AsyncDisposable {
  readonly cluster: ClusterNode;
  readonly agent: GuestAgent;
  readonly hog: Load;
  readonly neighbours: readonly Load[];
  readonly #guest: Guest;
  readonly #parts: AsyncDisposable;

  private constructor(
    guest: Guest,
    parts: AsyncDisposable,
    { cluster, agent, hog, neighbours }: Pick<CrowdedNode, "cluster" | "agent" | "hog" | "neighbours">,
  ) {
    this.#guest = guest;
    this.#parts = parts;
    this.cluster = cluster;
    this.agent = agent;
    this.hog = hog;
    this.neighbours = neighbours;
  }

  /** Starts the agent, which limits the pods by memory.high, and the pods. */
  static async start(guest: Guest, spec: CrowdedNodeSpec): Promise<CrowdedNode> {
    const { memoryTotalBytes } = await readCapacity(guest);
    const limitBytes = memoryTotalBytes - RESERVED_BYTES;
    await guest.must(`systemctl start kubepods.slice
      systemctl set-property --runtime kubepods.slice MemoryMax=${limitBytes}`);
    await prepareLoads(guest);
    await using parts = new AsyncDisposableStack();
    const cluster = parts.use(await ClusterNode.start(guest));
    spec.onServer?.(cluster.server);
    const agent = parts.use(await startAgent(guest, cluster));
    const roomMib = await roomUnder(agent, limitBytes);
    const neighbours: Load[] = [];
    for (const name of NEIGHBOURS)
      neighbours.push(
        await Load.start(guest, cluster, "runc", {
          ...{ name, requestBytes: 1.5 * NEIGHBOUR_MIB * MIB },
          steps: NEIGHBOUR_STEPS,
        }),
      );
    const hog = await Load.start(guest, cluster, "crun", {
      ...{ name: "hog", requestBytes: 64 * MIB },
      ...(spec.hogNamespace !== undefined && { namespace: spec.hogNamespace }),
      steps: ["grow:50:100", "await:harm", "harm", ...spec.harmSteps(roomMib)],
    });
    for (const neighbour of neighbours) await untilSwapLimit(guest, neighbour, "max");
    await untilSwapLimit(guest, hog, spec.hogSwapLimit);
    for (const neighbour of neighbours) await neighbour.untilAwaits("use", PATIENCE_SECONDS);
    await hog.untilAwaits("harm", PATIENCE_SECONDS);
    await hog.send("use");
    return new CrowdedNode(guest, parts.move(), { cluster, agent, hog, neighbours });
  }

  /** Lets the hog begin to do harm. */
  async beginHarm(): Promise<void> {
    await this.hog.send("harm");
  }

  /** Waits until the hog is evicted and the pressure is over, and expects that nothing else was evicted; returns the decision. */
  async expectOnlyHogEvicted(): Promise<LogEntry> {
    const { agent, cluster } = this;
    await agent.event("pod-evicted", ({ pod }) => pod === "hog", PATIENCE_SECONDS);
    await cluster.untilTerminated();
    for (const { name } of await this.#thresholds())
      await agent.untilMetric(name, (isCrossed) => isCrossed === 0, PATIENCE_SECONDS);
    const lines = cluster.evictions.map(({ line }) => line);
    expect(lines).toEqual(["POST /api/v1/namespaces/test/pods/hog/eviction"]);
    expect(cluster.gone).toEqual(["hog"]);
    const decisions = await agent.events("eviction-decided");
    expect(decisions).toMatchObject([{ pod: "hog", method: "evict", ranking: "test/hog" }]);
    await this.expectNeighboursRunning();
    return decisions[0] as LogEntry;
  }

  /** Expects that neither the agent nor the kernel has ended a neighbour. */
  async expectNeighboursRunning(): Promise<void> {
    for (const neighbour of this.neighbours) expect(await neighbour.isRunning()).toBe(true);
    expect(await this.#guest.must(`cat ${KUBEPODS}/memory.events`)).toContain("\noom_kill 0\n");
  }

  /** Stops the agent, and removes all pods. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts[Symbol.asyncDispose]();
  }

  async #thresholds(): Promise<{ readonly name: string }[]> {
    const metrics = await this.agent.metrics();
    return [...metrics.matchAll(/^(wasp_threshold_crossed{.*}) /gm)].map(([, name = ""]) => ({ name }));
  }
}

async function startAgent(guest: Guest, cluster: ClusterNode): Promise<GuestAgent> {
  // With LimitedSwap, each pod could only use its share.
  const flags = [...cluster.flags, "--eviction-mode=Enforce", "--swap-behavior=UnlimitedSwap"];
  return await GuestAgent.start(guest, flags);
}

/** Waits until the agent holds memory.high below the kubelet's threshold, and returns it in MiB. */
async function roomUnder(agent: GuestAgent, limitBytes: number): Promise<number> {
  const high = "wasp_kubepods_memory_high_bytes";
  await agent.event("swap-reach-held");
  await agent.untilMetric(high, (bytes) => bytes < limitBytes - 150 * MIB, PATIENCE_SECONDS);
  return Math.floor((await agent.metric(high)) / MIB);
}

async function untilSwapLimit(guest: Guest, { container }: Load, limit: string): Promise<void> {
  const files = container.own.map((level) => `${level}/memory.swap.max`);
  await untilHolds(
    guest,
    files,
    files.map(() => limit),
  );
}
