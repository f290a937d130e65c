import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ROOT } from "../node/binary.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";
import { patience } from "../patience.ts";
import { Follower, NODE } from "./follower.ts";

setDefaultTimeout(patience(120));

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());

const MIB = 2 ** 20;

describe("in a cluster of 20,000 pods", () => {
  test("only the node's own are sent and kept", async () => {
    fake.reset(new FakeCluster(20_000, 110));
    fake.hasCache = false;
    using follower = new Follower(fake);
    await follower.untilCurrent();
    expect(follower.lists.at(-1)?.pods).toHaveLength(110);
    expect(fake.sent.pods).toBe(110);
    expect(fake.sent.bytes).toBeLessThan(MIB);
    for (let index = 0; index < 20_000; index += 100)
      fake.cluster.put(`pod-${index}`, `node-${9 + (index % 7)}`);
    await follower.untilCurrent();
    // Two more for the pods that left the node.
    expect(fake.sent.pods).toBe(112);
    expect(fake.requests.map(({ query }) => query.get("fieldSelector"))).toEqual(
      fake.requests.map(() => `spec.nodeName=${NODE}`),
    );
  });

  test("an agent uses as much memory as in one of 200, after any number of events", async () => {
    const small = await memoryIn(new FakeCluster(200, 110));
    const large = await memoryIn(new FakeCluster(20_000, 110));
    expect(Math.abs(large.atFirst.rssBytes - small.atFirst.rssBytes)).toBeLessThan(8 * MIB);
    expect(Math.abs(large.atFirst.heapBytes - small.atFirst.heapBytes)).toBeLessThan(4 * MIB);
    for (const { warm, later } of [small, large]) {
      expect(later.pods).toBe(110);
      expect(later.rssBytes - warm.rssBytes).toBeLessThan(8 * MIB);
      expect(later.heapBytes - warm.heapBytes).toBeLessThan(4 * MIB);
    }
  });
});

interface Memory {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly pods: number;
  readonly revision: number;
}

/** Memory of a separate process that watches the node: at first, after 2,000 events, and after 8,000 more. */
async function memoryIn(cluster: FakeCluster): Promise<Record<"atFirst" | "warm" | "later", Memory>> {
  fake.reset(cluster);
  let answered: (memory: Memory) => void = () => {};
  await using child = Bun.spawn([process.execPath, "-e", script()], {
    stdout: "inherit",
    stderr: "inherit",
    ipc: (memory: Memory) => answered(memory),
  });
  const ask = (): Promise<Memory> => {
    const answer = new Promise<Memory>((resolve) => (answered = resolve));
    child.send("report");
    return answer;
  };
  const whenRevisionIs = async (revision: number): Promise<Memory> => {
    for (;;) {
      const memory = await ask();
      if (memory.revision === revision) return memory;
    }
  };
  // Each turn changes every pod, and then resets the connection.
  const churn = async (turns: number): Promise<Memory> => {
    for (let turn = 0; turn < turns; turn++) {
      for (let index = 0; index < 100; index++) cluster.put(`pod-${index}`, NODE);
      fake.dropWatches();
      await whenRevisionIs(cluster.revision);
    }
    return await ask();
  };
  await new Promise<Memory>((resolve) => (answered = resolve));
  cluster.put("pod-0", NODE);
  const atFirst = await whenRevisionIs(cluster.revision);
  return { atFirst, warm: await churn(20), later: await churn(80) };
}

function script(): string {
  const options = {
    ...fake.options,
    nodeName: NODE,
    backoff: { firstMilliseconds: 1, maxMilliseconds: 1 },
  };
  return `
    import { heapStats } from "bun:jsc";
    import { PodWatch } from "${ROOT}/src/cluster/pod-watch.ts";
    let pods = [];
    const report = () => {
      Bun.gc(true);
      const revision = Math.max(...pods.map((pod) => Number(pod.annotations["wasp.io/swap-limit"])));
      const memory = { rssBytes: process.memoryUsage.rss(), heapBytes: heapStats().heapSize };
      process.send({ ...memory, pods: pods.length, revision });
    };
    let isReported = false;
    const onPods = (list) => {
      pods = list.pods;
      if (!isReported) report();
      isReported = true;
    };
    new PodWatch(${JSON.stringify(options)}, { onPods, onError: () => {} });
    process.on("message", report);`;
}
