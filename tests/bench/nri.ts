// How fast a plugin answers a runtime that knows 500 containers, and what it holds: `bun tests/bench/nri.ts
// [--binary FILE]`, where FILE is started as `FILE nri --socket PATH`. Without it, it is the plainest plugin: the wire
// alone. It prints figures and goals, and judges nothing; the runtime takes its share of the time.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { ContainerState } from "../../src/nri/api_pb.ts";
import { FakeRuntime, type RuntimeSide } from "../nri/fake-runtime.ts";
import { mebibytes, type ProcessUsage, usageOf } from "./process-usage.ts";
import { printTable, quantile } from "./table.ts";

const PODS = 250;
const CONTAINERS = 500;
const ALONE = 3000;
const CROWD = 20_000;
const AT_ONCE = 10;

const { values } = parseArgs({ options: { binary: { type: "string" } } });
const folder = mkdtempSync(`${tmpdir()}/wasp-bench-nri-`);
try {
  using runtime = await FakeRuntime.listen(`${folder}/nri.sock`);
  const plain = [process.execPath, `${import.meta.dir}/nri-plugin.ts`, runtime.path];
  const command = values.binary === undefined ? plain : [values.binary, "nri", "--socket", runtime.path];
  await using plugin = Bun.spawn(command, { stdout: "ignore", stderr: "inherit" });
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
  await run(side, 1000, 1);
  const alone = await measured(side, plugin.pid, ALONE, 1);
  const crowd = await measured(side, plugin.pid, CROWD, AT_ONCE);
  printTable(
    ["containers created", "number", "p50 ms", "p99 ms", "max ms", "a second", "CPU ms each"],
    [
      ["one after the other", ...alone],
      [`${AT_ONCE} at once`, ...crowd],
      ["goal", "", "far below 2", "below 2", "", "1000", ""],
    ],
  );
  printTable(
    ["MiB", "RSS", "anonymous", "peak"],
    [
      memoryRow("configured", started),
      memoryRow(`${CONTAINERS} containers known`, synchronized),
      memoryRow(`${ALONE + CROWD} containers later`, usageOf(plugin.pid)),
    ],
  );
  printTable(
    [`${CONTAINERS} containers told at once`, "ms"],
    [["Synchronize", synchronizeMilliseconds.toFixed(1)]],
  );
} finally {
  rmSync(folder, { recursive: true });
}

async function measured(side: RuntimeSide, pid: number, number: number, atOnce: number): Promise<string[]> {
  const before = usageOf(pid).cpuSeconds;
  const started = performance.now();
  const milliseconds = await run(side, number, atOnce);
  const seconds = (performance.now() - started) / 1000;
  const cpu = (usageOf(pid).cpuSeconds - before) / number;
  const figures = [0.5, 0.99, 1].map((share) => quantile(milliseconds, share).toFixed(3));
  return [String(number), ...figures, (number / seconds).toFixed(0), (cpu * 1000).toFixed(3)];
}

/** Creates containers, so many at once, and removes each: gives how long each creation took. */
async function run(side: RuntimeSide, number: number, atOnce: number): Promise<number[]> {
  const milliseconds: number[] = [];
  let next = 0;
  const worker = async () => {
    for (let id = next++; id < number; id = next++) {
      const request = { pod: pod(id % PODS), container: container(CONTAINERS + id, id % PODS) };
      milliseconds.push(await timed(() => side.call("createContainer", request)));
      await side.call("removeContainer", request);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
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
