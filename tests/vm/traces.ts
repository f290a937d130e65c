// Takes the recordings of tests/fixtures/traces on a node of its own: `bun build.ts`, then `bun tests/vm/traces.ts [NAME]...`.
// The load itself reports when the harm begins; it is never derived from the recording.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { containerIdOf, podUidOf } from "../node/kubepods-tree.ts";
import { podListJson } from "../node/pods.ts";
import { Guest, quote } from "./guest.ts";
import { guestImage } from "./image.ts";
import {
  HIGH_MIB,
  MAX_MIB,
  NEIGHBOURS,
  SCENARIOS,
  type Scenario,
  type ScenarioPod,
} from "./trace-scenarios.ts";

const REPOSITORY = join(import.meta.dir, "../..");
const TRACES = join(REPOSITORY, "tests/fixtures/traces");
const NAMESPACE = "shop";
const FOLDER = "/run/traces";
const RECORDING = "/root/recording.jsonl";
const MIB = 2 ** 20;

await main(process.argv.slice(2));

async function main(names: readonly string[]): Promise<void> {
  await mkdir(TRACES, { recursive: true });
  await using guest = await Guest.start(await guestImage(), { memoryMiB: 2048 });
  await guest.push(join(REPOSITORY, "dist/wasp"), "/usr/local/bin/wasp");
  await guest.push(join(import.meta.dir, "trace-load.pl"), "/usr/local/bin/trace-load.pl");
  await guest.must(
    "mkdir /run/fill && mount -t tmpfs -o size=2G none /run/fill; head -c 1G /dev/zero > /root/large",
  );
  for (const scenario of SCENARIOS) {
    if (names.length > 0 && !names.includes(scenario.name)) continue;
    await take(guest, scenario);
    console.log(`${new Date().toISOString()} ${scenario.name}: taken`);
  }
}

async function take(guest: Guest, scenario: Scenario): Promise<void> {
  await clear(guest, scenario);
  const pods = [...NEIGHBOURS, ...scenario.pods].map((pod, index) => ({ ...pod, number: index + 1 }));
  await guest.must(`cat > ${FOLDER}/pods.json`, { stdin: podList(pods) });
  for (const pod of pods) await guest.must(startOf(pod));
  await guest.must(
    pods
      .map(
        ({ name }) =>
          `until [ -e ${FOLDER}/${name}.ready ]; do sleep 0.2; [ ! -s ${FOLDER}/${name}.log ] || { cat ${FOLDER}/${name}.log; exit 1; }; done`,
      )
      .join("\n"),
  );
  for (const pod of pods) await swapOut(guest, pod);
  await guest.must("sleep 3");
  console.log(await guest.must(recordFor(scenario.seconds), { timeoutSeconds: scenario.seconds + 60 }));
  const recording = await guest.must(`cat ${RECORDING}`);
  await writeFile(join(TRACES, `${scenario.name}.jsonl.gz`), Bun.gzipSync(recording, { level: 9 }));
  const truth = await truthOf(guest, scenario, recording);
  await writeFile(join(TRACES, `${scenario.name}.truth.yaml`), stringify(truth));
}

/** Removes the last scenario's pods, and sets up memory and swap for this one. */
async function clear(guest: Guest, { swapMiB, withoutSwap }: Scenario): Promise<void> {
  const swap =
    swapMiB === undefined
      ? "swapon /swapfile"
      : `fallocate --length ${swapMiB}M /swapfile-small; chmod 600 /swapfile-small
         mkswap --quiet /swapfile-small; swapon /swapfile-small`;
  await guest.must(`systemctl stop kubepods.slice; rm -rf ${FOLDER} ${RECORDING} /run/fill/file
    swapoff --all; rm -f /swapfile-small; set -e; ${swap}
    echo 3 > /proc/sys/vm/drop_caches
    mkdir ${FOLDER}
    systemctl start kubepods.slice
    systemctl set-property --runtime kubepods.slice MemoryHigh=${HIGH_MIB}M MemoryMax=${MAX_MIB}M \
      MemorySwapMax=${withoutSwap ? 0 : "infinity"}`);
}

type NumberedPod = ScenarioPod & { readonly number: number };

function podList(pods: readonly NumberedPod[]): string {
  return podListJson(
    pods.map(({ name, number }) => {
      // Only neighbours stay below their requests.
      const requestBytes = (name.startsWith("neighbour") ? 100 : 64) * MIB;
      const containers = [{ name: "app", id: containerIdOf(number), requestBytes }];
      return { uid: podUidOf(number), name, namespace: NAMESPACE, containers };
    }),
  );
}

function sliceOf({ number }: NumberedPod): string {
  return `kubepods-burstable-pod${podUidOf(number).replaceAll("-", "_")}.slice`;
}

function startOf(pod: NumberedPod): string {
  const unit = `--unit=crio-${containerIdOf(pod.number)}.scope`;
  const load = ["perl", "/usr/local/bin/trace-load.pl", pod.name, ...pod.steps].map(quote).join(" ");
  // Only chunks that are separate mappings are returned to the kernel when they are freed.
  return `MALLOC_MMAP_THRESHOLD_=131072 setsid systemd-run --quiet --scope ${unit} --slice=${sliceOf(pod)} \
    ${load} > ${FOLDER}/${pod.name}.log 2>&1 < /dev/null &`;
}

async function swapOut(guest: Guest, pod: NumberedPod): Promise<void> {
  if (pod.swappedOutMiB === undefined) return;
  const slice = `/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/${sliceOf(pod)}`;
  // It fails if less could be reclaimed, as when swap is full, which some scenarios intend.
  await guest.run(`echo ${pod.swappedOutMiB}M > ${slice}/memory.reclaim`);
}

function recordFor(seconds: number): string {
  return `set -e
    wasp trace record --pods-file ${FOLDER}/pods.json --output ${RECORDING} --duration ${seconds}s 2>&1 &
    until [ -s ${RECORDING} ]; do sleep 0.05; done
    touch ${FOLDER}/go
    wait
    cat ${FOLDER}/*.log
    tail -n 3 /proc/swaps`;
}

async function truthOf(guest: Guest, { victims, note }: Scenario, recording: string): Promise<object> {
  if (victims.length === 0) return { harmful: false, note };
  const times = await guest.must(`cat ${victims.map((name) => `${FOLDER}/${name}.harm`).join(" ")}`);
  const harmAt = Math.max(...times.trim().split("\n").map(Number));
  const [header = ""] = recording.split("\n", 1);
  const startedAt = Date.parse(JSON.parse(header).startedAt) / 1000;
  const names = victims.map((name) => `${NAMESPACE}/${name}`);
  const victim = names.length === 1 ? names[0] : names;
  return { harmful: true, fromSeconds: Number((harmAt - startedAt).toFixed(1)), victim, note };
}
