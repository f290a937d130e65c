// Measures the latency of `wasp nri` for a runtime with 500 containers, all with a class, and its memory: `bun
// tests/bench/nri.ts [--binary FILE] [--swap-behavior LimitedSwap] [--plain]`. With --plain it measures the minimal
// plugin instead: the protocol alone. It prints values and goals, and does not fail on them; times include the
// runtime's.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ContainerState } from "../../src/nri/api_pb.ts";
import { WASP } from "../node/binary.ts";
import { NriNode } from "../node/nri-node.ts";
import type { RuntimeSide } from "../nri/fake-runtime.ts";
import { mebibytes, type ProcessUsage, usageOf } from "./process-usage.ts";
import { printTable, quantile } from "./table.ts";

const PODS = 250;
const CONTAINERS = 500;
const ALONE = 3000;
const CROWD = 20_000;
const AT_ONCE = 10;
const PACED = 5000;
const PER_MILLISECOND = 1;
const QUIET_MILLISECONDS = 6000;

const { values } = parseArgs({
  options: {
    binary: { type: "string", default: WASP },
    plain: { type: "boolean", default: false },
    "swap-behavior": { type: "string" },
  },
});
await using node = new NriNode();
const plain = [process.execPath, `${import.meta.dir}/nri-plugin.ts`, node.socket];
const swap = values["swap-behavior"] === undefined ? [] : ["--swap-behavior", values["swap-behavior"]];
const full = [values.binary, "nri", ...node.flags, "--config", node.configFile, ...swap];
const runtime = await node.listen();
{
  await using plugin = Bun.spawn(values.plain ? plain : full, { stdout: "ignore", stderr: "inherit" });
  const side = await runtime.connection();
  side.areFramesKept = false;
  await side.registered;
  await side.call("configure", { runtimeName: "bench", runtimeVersion: "1", requestTimeout: 2000n });
  const started = usageOf(plugin.pid);
  const synchronizeMilliseconds = await timed(() =>
    side.call("synchronize", {
      pods: Array.from({ length: PODS }, (_, number) => pod(number)),
      containers: Array.from({ length: CONTAINERS }, (_, number) => container(number, number % PODS)),
    }),
  );
  const synchronized = usageOf(plugin.pid);
  await sleep(QUIET_MILLISECONDS);
  const quiet = usageOf(plugin.pid);
  await run(side, 1000, 1);
  const alone = await measured(plugin.pid, ALONE, () => run(side, ALONE, 1));
  const even = await measured(plugin.pid, PACED, () => runEvenly(side));
  const crowd = await measured(plugin.pid, CROWD, () => run(side, CROWD, AT_ONCE));
  printTable(
    ["containers created", "number", "p50 ms", "p99 ms", "max ms", "a second", "CPU ms each"],
    [
      ["one after the other", ...alone],
      [`${PER_MILLISECOND * 1000} each second`, ...even],
      ["goal", "", "far below 2", "below 2", "", "1000", ""],
      [`${AT_ONCE} at once`, ...crowd],
    ],
  );
  const loaded = usageOf(plugin.pid);
  await sleep(QUIET_MILLISECONDS);
  const afterwards = `quiet for ${QUIET_MILLISECONDS / 1000} s`;
  printTable(
    ["MiB (goal: RSS below 60)", "RSS", "anonymous", "peak"],
    [
      memoryRow("configured", started),
      memoryRow(`${CONTAINERS} containers known`, synchronized),
      memoryRow(afterwards, quiet),
      memoryRow(`${ALONE + CROWD} containers later`, loaded),
      memoryRow(afterwards, usageOf(plugin.pid)),
    ],
  );
  printTable(
    [`${CONTAINERS} containers in one synchronization`, "ms"],
    [["Synchronize", synchronizeMilliseconds.toFixed(1)]],
  );
}

async function measured(pid: number, number: number, act: () => Promise<number[]>): Promise<string[]> {
  const before = usageOf(pid).cpuSeconds;
  const started = performance.now();
  const milliseconds = await act();
  const seconds = (performance.now() - started) / 1000;
  const cpu = (usageOf(pid).cpuSeconds - before) / number;
  const figures = [0.5, 0.99, 1].map((share) => quantile(milliseconds, share).toFixed(3));
  return [String(number), ...figures, (number / seconds).toFixed(0), (cpu * 1000).toFixed(3)];
}

/** Creates containers at a constant rate, without waiting for answers; returns the time of each creation. */
async function runEvenly(side: RuntimeSide): Promise<number[]> {
  const started = performance.now();
  const creations: Promise<number>[] = [];
  while (creations.length < PACED) {
    const due = (performance.now() - started) * PER_MILLISECOND;
    while (creations.length < Math.min(due, PACED)) creations.push(createAndRemove(side, creations.length));
    await sleep(1);
  }
  return await Promise.all(creations);
}

/** Creates containers, so many at once, and removes each; returns the time of each creation. */
async function run(side: RuntimeSide, number: number, atOnce: number): Promise<number[]> {
  const milliseconds: number[] = [];
  let next = 0;
  const worker = async () => {
    for (let id = next++; id < number; id = next++) {
      milliseconds.push(await createAndRemove(side, id));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return milliseconds;
}

async function createAndRemove(side: RuntimeSide, id: number): Promise<number> {
  const request = { pod: pod(id % PODS), container: container(CONTAINERS + id, id % PODS) };
  const milliseconds = await timed(() => side.call("createContainer", request));
  await side.call("removeContainer", request);
  return milliseconds;
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

function pod(number: number) {
  const uid = `6f1d2c3b-0000-4000-8000-${String(number).padStart(12, "0")}`;
  return {
    id: String(number).padStart(64, "0"),
    name: `web-${number}`,
    namespace: "shop",
    uid,
    labels: { app: "web", "pod-template-hash": "7c5ddbdf54", "io.kubernetes.pod.uid": uid },
    annotations: { "class.memory-qos.nri.io": "bronze", "kubernetes.io/config.source": "api" },
    linux: { cgroupParent: `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid}.slice` },
  };
}

function container(number: number, podNumber: number) {
  const id = String(number).padStart(64, "c");
  return {
    id,
    podSandboxId: String(podNumber).padStart(64, "0"),
    name: "nginx",
    state: ContainerState.CONTAINER_CREATED,
    labels: { "io.kubernetes.container.name": "nginx", "io.kubernetes.pod.name": `web-${podNumber}` },
    annotations: { "io.kubernetes.cri.container-type": "container" },
    linux: {
      resources: { memory: { limit: { value: 536_870_912n } }, unified: { "memory.oom.group": "1" } },
      oomScoreAdj: { value: 900n },
      cgroupsPath: `kubepods-burstable-pod${podNumber}.slice:cri-containerd:${id}`,
    },
  };
}

function memoryRow(name: string, usage: ProcessUsage): string[] {
  return [name, ...[usage.rssBytes, usage.anonymousBytes, usage.peakBytes].map(mebibytes)];
}
