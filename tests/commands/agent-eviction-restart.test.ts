import { describe, expect, test } from "bun:test";
import { silence } from "../node/fake-kubelet.ts";
import type { ObjectRequest } from "../node/fake-objects.ts";
import { REQUEST_BYTES } from "../node/pods.ts";
import { NODE, PressedNode } from "../node/pressed-node.ts";
import type { RunningAgent } from "../node/running-agent.ts";

const FOREIGN = { key: "example.com/maintenance", value: "soon", effect: "NoSchedule" };
const PODS = "/api/v1/namespaces/test/pods";
const FIRST = `POST ${PODS}/pod-1/eviction`;
const COOLDOWN_SECONDS = 5;

/** Runs an agent to the point at which it is killed. */
type Step = (pressed: PressedNode) => (agent: RunningAgent) => Promise<void>;

/** Waits for a request that is carried out, but whose answer the agent never gets. */
const unanswered =
  (isMeant: (request: ObjectRequest, pressed: PressedNode) => boolean): Step =>
  (pressed) => {
    const hasCome = pressed.server.objects.withhold((request) => isMeant(request, pressed));
    return (agent) => agent.until(hasCome, "the request");
  };

/** Waits for an event on a node whose victims terminate slowly, or at once. */
const after =
  (event: string, reason?: string, goes: "slowly" | "at once" = "at once"): Step =>
  (pressed) => {
    if (goes === "slowly") pressed.server.objects.onTermination = (name) => pressed.terminate(name);
    return async (agent) => {
      await agent.event(event, (entry) => reason === undefined || entry["reason"] === reason);
    };
  };

const STEPS: [string, Step, readonly number[]][] = [
  [
    "before its record of the victim is written",
    (pressed) => {
      const hasCome = pressed.server.objects.ignore(isWritingDown);
      pressed.server.objects.onTermination = (name) => pressed.terminate(name);
      return (agent) => agent.until(() => hasCome() && pressed.asked.length > 0, "both requests");
    },
    [600, 300],
  ],
  ["when it has recorded its victim", unanswered(isWritingDown), [600, 300]],
  [
    "before its request is served",
    ({ server }) => {
      server.objects.instead(FIRST, silence);
      return (agent) => agent.until(() => server.objects.requests.some(({ line }) => line === FIRST));
    },
    [600, 300],
  ],
  ["before it gets the answer to its request", unanswered(({ line }) => line === FIRST), [600, 300]],
  ["while its victim terminates", after("victim-awaited", undefined, "slowly"), [600, 300]],
  ["while a victim within its requests terminates", after("victim-awaited", undefined, "slowly"), [63, 62]],
  ["in the cooldown, with its victim gone", after("eviction-held", "cooldown"), [600, 300]],
  ["as it taints the node", unanswered(isTainting), [600, 300]],
  ["with the node tainted", after("node-tainted"), [600, 300]],
];

describe.concurrent("an agent that is killed under pressure", () => {
  test.each(STEPS)(
    "%s is followed by one that goes on from there",
    async (_, step, [first = 0, second = 0]) => {
      using pressed = await startPressed({}, first, second);
      const history = historyOf(pressed);
      const reached = step(pressed);
      await using killed = pressed.agent();
      await reached(killed);
      await killed.until(() => pressed.taints.length === 2, "the taint");
      await killed.stop("SIGKILL");
      await using agent = pressed.agent();
      await agent.event("agent-ready");
      if (pressed.node.pods.size === 2 && isGoing(pressed)) {
        await agent.event("victim-awaited");
        expect(pressed.asked).toEqual(["pod-1"]);
        pressed.server.objects.onTermination = (name) => pressed.remove(name);
        pressed.remove("pod-1");
      }
      await agent.event("pod-evicted", ({ pod }) => pod === "pod-2");
      expect([...new Set(pressed.asked)]).toEqual(["pod-1", "pod-2"]);
      expect(history.secondsFromFirstToSecond).toBeGreaterThanOrEqual(COOLDOWN_SECONDS);
      expect(history.atOnce).toEqual([]);
      // At no moment did the node lack either of them.
      expect(pressed.taints).toEqual([FOREIGN, expect.objectContaining({ key: "wasp.io/swap-pressure" })]);
      expect(history.taintLists.filter((keys) => !keys.includes("wasp.io/swap-pressure"))).toEqual([]);
      expect(history.taintLists.filter((keys) => !keys.includes(FOREIGN.key))).toEqual([]);
      pressed.relieve();
      await agent.event("node-untainted");
      await agent.until(() => hasStatus(pressed, "False"), "the condition");
      expect(pressed.taints).toEqual([FOREIGN]);
    },
  );

  test("repeatedly evicts no more pods per hour than allowed", async () => {
    using pressed = await startPressed({ maxEvictionsPerHour: 1, cooldownSeconds: 1 }, 600, 300);
    for (const _ of [1, 2]) {
      await using agent = pressed.agent();
      await agent.until(() => pressed.asked.length > 0, "the first eviction");
      await agent.event("eviction-held", ({ reason }) => reason === "capped");
      await agent.stop("SIGKILL");
    }
    expect(pressed.asked).toEqual(["pod-1"]);
  });

  test("by a signal is followed by an agent that keeps to its cooldown, too", async () => {
    using pressed = await startPressed({ cooldownSeconds: 3600 }, 600, 300);
    await using ended = pressed.agent();
    await ended.event("pod-evicted");
    await ended.stop();
    expect(pressed.taints).toEqual([FOREIGN]);
    await using agent = pressed.agent();
    expect(await agent.event("eviction-resumed")).toMatchObject({
      isPressed: false,
      evictedLastHour: 1,
      cooldownSeconds: 3600,
    });
    await agent.event("eviction-held", ({ reason }) => reason === "cooldown");
    expect(pressed.asked).toEqual(["pod-1"]);
  });
});

describe.concurrent("an agent that is killed with the pressure over", () => {
  const isUntainting = ({ line, body }: ObjectRequest) =>
    line === `PATCH /api/v1/nodes/${NODE}` && taintKeys(body)?.includes("wasp.io/swap-pressure") === false;

  test.each<[string, NodeJS.Signals | undefined, string]>([
    ["as it removes the taint", undefined, "True"],
    ["as it removes the taint at its end", "SIGTERM", "Unknown"],
  ])("%s is followed by one that makes an end of it", async (_, signal, status) => {
    using pressed = await startPressed({ maxEvictionsPerHour: 0 }, 600, 300);
    await using killed = pressed.agent();
    await killed.until(() => pressed.taints.length === 2 && hasStatus(pressed, "True"), "the marks");
    const hasCome = pressed.server.objects.withhold(isUntainting);
    pressed.relieve();
    const ending = signal === undefined ? undefined : killed.stop(signal);
    await killed.until(hasCome, "the request");
    await killed.stop("SIGKILL");
    await ending;
    await using agent = pressed.agent();
    await agent.until(() => hasStatus(pressed, "False"), `the condition, which was ${status}`);
    expect(pressed.taints).toEqual([FOREIGN]);
    expect(agent.events("node-tainted")).toEqual([]);
  });
});

async function startPressed(
  knobs: Readonly<Record<string, unknown>>,
  ...usageMebibytes: readonly number[]
): Promise<PressedNode> {
  const pressed = await PressedNode.start({ cooldownSeconds: COOLDOWN_SECONDS, ...knobs });
  pressed.taint(FOREIGN);
  for (const [index, usage] of usageMebibytes.entries()) {
    const pod = pressed.addPod(index + 1, usage);
    // The end of a pod within its requests relieves only if that pod is what moves.
    if (usage * 2 ** 20 <= REQUEST_BYTES) pressed.thrash(pod);
  }
  return pressed;
}

/** Requests of all agents of a node together. */
function historyOf(pressed: PressedNode) {
  const evictions: { readonly line: string; readonly atSeconds: number }[] = [];
  const taintLists: (readonly string[])[] = [];
  const atOnce: string[] = [];
  pressed.server.objects.beforeServing = ({ line, body }) => {
    const keys = line === `PATCH /api/v1/nodes/${NODE}` ? taintKeys(body) : undefined;
    if (keys !== undefined) taintLists.push(keys);
    if (!line.endsWith("/eviction")) return;
    evictions.push({ line, atSeconds: performance.now() / 1000 });
    if (line !== FIRST && pressed.server.cluster.pods.has("pod-1")) atOnce.push(line);
  };
  return {
    /** Keys of the node's taints after each change. */
    taintLists,
    /** Requests for another pod while the first victim was still there. */
    atOnce,
    get secondsFromFirstToSecond(): number {
      const last = evictions.findLast(({ line }) => line === FIRST)?.atSeconds ?? Number.NaN;
      return (evictions.find(({ line }) => line !== FIRST)?.atSeconds ?? Number.NaN) - last;
    },
  };
}

function taintKeys(body: unknown): readonly string[] | undefined {
  const { spec } = body as { spec?: { taints?: readonly { key: string }[] } };
  return spec?.taints?.map(({ key }) => key);
}

// A request that conflicts with another change of the node is refused and repeated.
function isTainting({ line, body }: ObjectRequest, { server }: PressedNode): boolean {
  if (line !== `PATCH /api/v1/nodes/${NODE}` || taintKeys(body) === undefined) return false;
  const { metadata } = body as { metadata: { resourceVersion: string } };
  return metadata.resourceVersion === server.objects.nodes.get(NODE)?.metadata.resourceVersion;
}

function isWritingDown({ line, body }: ObjectRequest): boolean {
  return line === `PATCH /api/v1/nodes/${NODE}` && taintKeys(body) === undefined;
}

function isGoing({ node }: PressedNode): boolean {
  return [...node.pods.values()].some(({ isTerminating }) => isTerminating);
}

function hasStatus({ condition }: PressedNode, status: string): boolean {
  return condition !== undefined && "status" in condition && condition.status === status;
}
