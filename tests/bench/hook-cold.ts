// Measures the start of a container whose hook is not in memory, with runc in the pod's cgroup as CRI-O's
// `conmon_cgroup = "pod"` has it: `bun tests/bench/hook-cold.ts [--rounds N] [--unguarded]`. It prints values and goals, and
// does not fail on them. It changes the read-ahead of the disk meanwhile.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { $ } from "bun";
import { WASP } from "../node/binary.ts";
import { guardedHook, type OciHook, Pod, requireHost, type SwapFile } from "../runc/container.ts";
import { printTable, quantile } from "./table.ts";

const MEBIBYTE = 1024 ** 2;
const POD_MEBIBYTES = [64, 20, 12] as const;
// The kernel's default, that of RHEL CoreOS's workers, and that of this project's recordings (tuned's throughput profiles).
const READ_AHEAD_KIBIBYTES = [128, 4096, 8192] as const;
const GOAL_SECONDS = 2;
const GOAL_MEBIBYTES = 6;

/** Way in which a pod's container is started. */
interface Way {
  readonly name: string;
  readonly hooks: (wasp: string, log: string) => readonly OciHook[];
  readonly isCold: boolean;
}

const WAYS: readonly Way[] = [
  { name: "no hook", hooks: () => [], isCold: false },
  { name: "hook, in memory", hooks: guarded, isCold: false },
  { name: "hook, not in memory", hooks: guarded, isCold: true },
];
const UNGUARDED: Way = { name: "hook without its guard, not in memory", hooks: unguarded, isCold: true };

function guarded(wasp: string, log: string): readonly OciHook[] {
  return [guardedHook(wasp, "--log-file", log)];
}

function unguarded(wasp: string, log: string): readonly OciHook[] {
  return [{ ...guardedHook(wasp), path: wasp, args: ["wasp", "hook", "--log-file", log] }];
}

/** Result of one start. */
interface Start {
  readonly seconds: number;
  /** Most memory that was charged to the pod at once. */
  readonly podMebibytes: number;
  readonly isCreated: boolean;
  readonly hasLimit: boolean;
}

/** Starts a container in a pod of its own, from a copy of wasp of its own. */
async function start(host: SwapFile, podMebibytes: number, way: Way): Promise<Start> {
  await using pod = await Pod.make("/kubepods/burstable", host);
  const wasp = `${pod.directory}/wasp`;
  const log = `${pod.directory}/log`;
  await $`cp ${WASP} ${wasp} && sync ${wasp}`;
  if (way.isCold) await $`dd of=${wasp} oflag=nocache conv=notrunc,fdatasync count=0`.quiet();
  await pod.limitMemory(podMebibytes * MEBIBYTE);
  const recipe = {
    args: ["true"],
    hooks: way.hooks(wasp, log),
    oomScoreAdj: 984,
    memoryLimitBytes: podMebibytes * MEBIBYTE,
  };
  const started = performance.now();
  const { exitCode } = await pod.runInPod(recipe);
  const seconds = (performance.now() - started) / 1000;
  const line = await readFile(log, "utf8").catch(() => "");
  return {
    seconds,
    podMebibytes: (await pod.peakBytes()) / MEBIBYTE,
    isCreated: exitCode === 0,
    hasLimit: line.includes(" swap-limit-set "),
  };
}

/** Read-ahead of the disk of a folder, in KiB. Disposing of it restores the initial one. */
class ReadAhead implements Disposable {
  readonly #file: string;
  readonly #initial: string;

  constructor(folder: string) {
    const { dev } = statSync(folder);
    // Linux's encoding of a device's two numbers.
    const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
    this.#file = `/sys/class/bdi/${major}:${minor}/read_ahead_kb`;
    this.#initial = readFileSync(this.#file, "utf8");
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => {
        this[Symbol.dispose]();
        process.exit(1);
      });
  }

  set(kibibytes: number): void {
    writeFileSync(this.#file, String(kibibytes));
  }

  [Symbol.dispose](): void {
    writeFileSync(this.#file, this.#initial);
  }
}

/** Measures all cells, and prints the median and the worst of each. */
async function bench(rounds: number, ways: readonly Way[]): Promise<void> {
  const host = requireHost();
  using readAhead = new ReadAhead("/tmp");
  const rows: string[][] = [];
  for (const kibibytes of READ_AHEAD_KIBIBYTES)
    for (const podMebibytes of POD_MEBIBYTES)
      for (const way of ways) {
        readAhead.set(kibibytes);
        const starts: Start[] = [];
        for (let round = 0; round < rounds; round++) starts.push(await start(host, podMebibytes, way));
        rows.push([way.name, `${kibibytes}`, `${podMebibytes}`, ...summaryOf(starts)]);
      }
  console.log(`${rounds} containers each; seconds of the whole \`runc run\`, MiB of the pod's peak\n`);
  printTable(
    ["", "read-ahead KiB", "pod MiB", "created", "limit set", "s median", "worst", "MiB median", "worst"],
    rows,
  );
  console.log(`goal with the hook: all created, ${GOAL_SECONDS} s, ${GOAL_MEBIBYTES} MiB`);
}

function summaryOf(starts: readonly Start[]): string[] {
  const spread = (values: readonly number[]) => [quantile(values, 0.5), quantile(values, 1)];
  const share = (count: number) => `${count}/${starts.length}`;
  return [
    share(starts.filter(({ isCreated }) => isCreated).length),
    share(starts.filter(({ hasLimit }) => hasLimit).length),
    ...spread(starts.map(({ seconds }) => seconds)).map((it) => it.toFixed(2)),
    ...spread(starts.map((it) => it.podMebibytes)).map((it) => it.toFixed(1)),
  ];
}

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, unguarded: { type: "boolean", default: false } },
});
await bench(Number(options.rounds), options.unguarded ? [...WAYS, UNGUARDED] : WAYS);
