// Measures the cost of `wasp agent` on a node with 250 pods and 500 containers, and its latency: `bun
// tests/bench/agent.ts [--binary FILE] [latency] [quiet] [day] [clusters]`. It prints values and goals, and does not
// fail on them; CPU time is that of the agent alone, so other work on the machine does not count.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { WASP } from "../node/binary.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";
import type { PodSpec } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";
import { BusyNode, CONTAINERS, PODS } from "./busy-node.ts";
import { mebibytes, type ProcessUsage, usageOf } from "./process-usage.ts";
import { printTable, quantile } from "./table.ts";

const POD_CHURN = 3000;
const POD_CHURN_AT_ONCE = 10;
const QUIET_SECONDS = 120;
const SCRAPE_SECONDS = 30;
const SAMPLES = 30;

const HURRY = ["--pod-poll-seconds=1", "--sweep-seconds=1"];
const MEMORY_HEAD = ["MiB", "RSS", "anonymous", "binary", "peak", "fds", "watches"];

const BENCHES = { latency, quiet, day, clusters };

/** Measures the time from a container's cgroup and pod status to its exact limit. */
async function latency(binary: string): Promise<void> {
  using node = await BusyNode.start();
  await using agent = new RunningAgent(node.flags, {}, [], binary);
  await agent.event("agent-ready");
  const churn = async (rounds: number, pods: number, gapMilliseconds: () => number) => {
    const milliseconds: number[] = [];
    const before = { lists: node.requests("/pods"), cpu: usageOf(agent.pid).cpuSeconds };
    for (let round = 0; round < rounds; round++) {
      const added: PodSpec[] = [];
      for (let number = 0; number < pods; number++) {
        added.push(node.add(1));
        if (number < pods - 1 && gapMilliseconds() > 0) await sleep(gapMilliseconds());
      }
      for (const pod of added) milliseconds.push(...(await node.exact(agent, pod)));
      for (const pod of added) node.remove(pod);
      await sleep(1000 * Math.random());
    }
    const lists = node.requests("/pods") - before.lists;
    const cpu = (usageOf(agent.pid).cpuSeconds - before.cpu) / (rounds * pods);
    const figures = [0.5, 0.99, 1].map((share) => quantile(milliseconds, share).toFixed(0));
    return [String(milliseconds.length), ...figures, String(lists), (cpu * 1000).toFixed(1)];
  };
  const rows = [
    ["alone", ...(await churn(200, 1, () => 0)), "250"],
    ["20 at once", ...(await churn(15, 20, () => 0)), "250"],
    ["20 within two seconds", ...(await churn(15, 20, () => 200 * Math.random())), "250"],
  ];
  const head = [
    "new containers, ms to the limit",
    "number",
    "p50",
    "p99",
    "max",
    "lists",
    "CPU ms each",
    "goal",
  ];
  printTable(head, rows);

  const listsBefore = node.requests("/pods");
  await node.exact(agent, node.add(2));
  await sleep(60_000);
  const lists = node.requests("/pods") - listsBefore;
  printTable(["in the minute after a pod came", "", "goal"], [["lists of pods", String(lists), "at most 4"]]);
}

/** Measures an idle agent, scraped as Prometheus does. */
async function quiet(binary: string): Promise<void> {
  using node = await BusyNode.start();
  using apiServer = await FakeApiServer.start(new FakeCluster(0, 1));
  const { hostname, port } = new URL(apiServer.options.baseUrl);
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  await using agent = new RunningAgent(node.flags, env, [], binary);
  await agent.event("http-listening");
  const started = usageOf(agent.pid);
  await agent.event("agent-ready");
  const ready = usageOf(agent.pid);
  await sleep(5000);
  const before = { ...usageOf(agent.pid), lists: node.requests("/pods"), configs: node.requests("/configz") };
  for (let seconds = 0; seconds < QUIET_SECONDS; seconds += SCRAPE_SECONDS) {
    await sleep(SCRAPE_SECONDS * 1000);
    await (await agent.get("/metrics")).text();
  }
  const after = usageOf(agent.pid);
  await sleep(5000);
  const settled = usageOf(agent.pid);
  const percent = ((after.cpuSeconds - before.cpuSeconds) / QUIET_SECONDS) * 100;
  const anHour = (requests: number) => ((requests * 3600) / QUIET_SECONDS).toFixed(0);
  printTable(
    [`quiet for ${QUIET_SECONDS} s; ${CONTAINERS} containers`, "", "goal"],
    [
      ["CPU, % of a core", percent.toFixed(2), "below 0.5"],
      ["lists of pods an hour", anHour(node.requests("/pods") - before.lists), "120"],
      [
        "questions for the kubelet's configuration an hour",
        anHour(node.requests("/configz") - before.configs),
        "at most 12",
      ],
      ["requests to the API server", String(apiServer.requests.length), "0"],
    ],
  );
  printTable(MEMORY_HEAD, [
    memoryRow("started", started),
    memoryRow("after the first pass", ready),
    memoryRow("just after a scrape", after),
    memoryRow("five seconds later (goal: 70)", settled),
  ]);
}

/** Measures the events of a busy day, within a few minutes. */
async function day(binary: string): Promise<void> {
  using node = await BusyNode.start();
  await using agent = new RunningAgent([...node.flags, ...HURRY], {}, [], binary);
  await agent.event("agent-ready");
  const started = performance.now();
  const cpuBefore = usageOf(agent.pid).cpuSeconds;
  const samples = await sampled(agent, POD_CHURN / POD_CHURN_AT_ONCE, async () => {
    const pods = Array.from({ length: POD_CHURN_AT_ONCE }, () => node.add(2));
    for (const pod of pods) await node.exact(agent, pod);
    for (const pod of pods) node.remove(pod);
    await (await agent.get("/metrics")).text();
  });
  const passes = /^wasp_reconcile_duration_seconds_count (\d+)/m.exec(
    await (await agent.get("/metrics")).text(),
  );
  console.log(
    `${POD_CHURN} pods came and went: ${node.requests("/pods")} lists of ${mebibytes(node.listBytes)} MiB, ${passes?.[1]} passes in ${((performance.now() - started) / 1000).toFixed(0)} s, ${(usageOf(agent.pid).cpuSeconds - cpuBefore).toFixed(1)} s of CPU`,
  );
  printTable([`a day; ${MEMORY_HEAD[0]}`, ...MEMORY_HEAD.slice(1)], thirds(samples));
}

/** Measures the latency for pods of the API server, in a small cluster and in a large one. */
async function clusters(binary: string): Promise<void> {
  const rows: string[][] = [];
  for (const pods of [200, 20_000]) {
    using node = await BusyNode.start();
    using apiServer = await FakeApiServer.start(new FakeCluster(pods, PODS));
    const { baseUrl, tokenFile, caFile } = apiServer.options;
    const source = ["--pod-source=ApiServer", "--node-name=node-0", `--api-server-url=${baseUrl}`];
    const files = [`--api-server-token-file=${tokenFile}`, `--api-server-ca-file=${caFile}`];
    await using agent = new RunningAgent([...node.flags, ...HURRY, ...source, ...files], {}, [], binary);
    await agent.event("agent-ready");
    const samples = await sampled(agent, POD_CHURN / 10, async (round) => {
      for (let number = 0; number < 10; number++) {
        apiServer.cluster.put(`new-${round}-${number}`, "node-0");
        apiServer.cluster.put(`other-${round}-${number}`, "node-1");
      }
      for (let number = 0; number < 10; number++) apiServer.cluster.remove(`new-${round}-${number}`);
      await (await agent.get("/metrics")).text();
    });
    rows.push(...thirds(samples).map(([name, ...cells]) => [`${pods} pods, ${name}`, ...cells]));
  }
  printTable([`API server; ${MEMORY_HEAD[0]}`, ...MEMORY_HEAD.slice(1)], rows);
}

async function sampled(
  agent: RunningAgent,
  rounds: number,
  act: (round: number) => Promise<void>,
): Promise<ProcessUsage[]> {
  const samples: ProcessUsage[] = [];
  for (let round = 1; round <= rounds; round++) {
    await act(round);
    if (round % (rounds / SAMPLES) === 0) samples.push(usageOf(agent.pid));
  }
  return samples;
}

function thirds(samples: readonly ProcessUsage[]): string[][] {
  const third = samples.length / 3;
  return [
    memoryRow("first third", ...samples.slice(0, third)),
    memoryRow("last third", ...samples.slice(-third)),
  ];
}

/** Returns the average of the samples. */
function memoryRow(name: string, ...samples: readonly ProcessUsage[]): string[] {
  const mean = (key: keyof ProcessUsage) => samples.reduce((sum, it) => sum + it[key], 0) / samples.length;
  const sizes = (["rssBytes", "anonymousBytes", "binaryBytes", "peakBytes"] as const).map((key) =>
    mebibytes(mean(key)),
  );
  return [name, ...sizes, mean("descriptors").toFixed(0), mean("watches").toFixed(0)];
}

const { values, positionals } = parseArgs({
  options: { binary: { type: "string", default: WASP } },
  allowPositionals: true,
});
for (const [name, run] of Object.entries(BENCHES)) {
  if (positionals.length === 0 || positionals.includes(name)) await run(values.binary);
}
