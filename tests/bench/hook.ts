// Measures the cost of `wasp hook` for a container's start, beside an empty program with the same build flags and
// beside a shell hook like wasp-agent's: `bun tests/bench/hook.ts [--rounds N]`. It prints values and goals, and does
// not fail on them.
import { readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { $ } from "bun";
import { type Arch, compile } from "../../build.ts";
import hookDefinition from "../../hooks.d/wasp-swap.json";
import {
  type Container,
  guardedHook,
  Pod,
  requireHost,
  type SwapFile,
  shellHook,
} from "../runc/container.ts";
import { printTable, quantile } from "./table.ts";

const LIMIT_BYTES = 128 * 1024 ** 2;
const PEAK_ROUNDS = 5;
const COPIES = 4;

/** Measured program. */
interface Program {
  readonly name: string;
  /** Command line with one of the copies of its executable. */
  readonly argv: (copy: number) => readonly string[];
  /** True if it has to change the container's limit. */
  readonly writes: boolean;
}

/** Container whose limit the hooks write, again and again. */
interface Target {
  readonly bundle: string;
  readonly stateFile: string;
  readonly limitFile: string;
  /** Initial limit of each run, as a kubelet without swap leaves it, so that there is something to write. */
  readonly initialLimit: string;
}

interface Sample {
  readonly wall: number;
  readonly cpu: number;
}

/** Run times of one program, in milliseconds, and its peak resident set in MiB. */
interface Result {
  readonly name: string;
  readonly samples: readonly Sample[];
  readonly peakMebibytes: number;
}

/** Measures all programs in turn on one real container, and prints the results. */
async function bench(rounds: number): Promise<void> {
  const host = requireHost();
  await using pod = await Pod.make("/kubepods/burstable", host);
  await $`mount --bind ${pod.meminfo} /proc/meminfo`;
  const target = await makeTarget(pod, host);
  const programs = await makePrograms(pod);

  for (let round = 0; round < COPIES; round++) programs.map((program) => measure(program, target, round));
  const samples = Array.from({ length: rounds }, (_, round) =>
    programs.map((program) => {
      // Each run follows one of the same program: the program before decides how much the processor's caches still
      // have, which is a fifth of an empty program's time.
      measure(program, target, round % COPIES);
      return measure(program, target, round % COPIES);
    }),
  );
  const peaks = Array.from({ length: PEAK_ROUNDS }, (_, round) =>
    programs.map((program) => measurePeak(program, target, round % COPIES)),
  );
  const results = programs.map(({ name }, i) => ({
    name,
    samples: samples.map((round) => round[i] as Sample),
    peakMebibytes: Math.max(...peaks.map((round) => round[i] as number)),
  }));
  printResults(results, rounds);
}

/** Creates a container like CRI-O's, and records its state with a hook, byte for byte as the runtime passes it. */
async function makeTarget(pod: Pod, host: SwapFile): Promise<Target> {
  const { bundle, cgroup }: Container = await pod.create({
    args: ["true"],
    hooks: [shellHook("cat > state.json")],
    oomScoreAdj: 984,
    memoryLimitBytes: LIMIT_BYTES,
    memoryAndSwapBytes: LIMIT_BYTES,
    annotations: {
      "io.kubernetes.pod.namespace": "default",
      "io.kubernetes.pod.name": "bench",
      "io.kubernetes.container.name": "bench",
      "kubernetes.io/config.source": "api",
      // CRI-O's states have 5 kB, nearly all of it annotations.
      "io.kubernetes.cri-o.Labels": JSON.stringify({ filler: "x".repeat(4096) }),
    },
  });
  const limitFile = `${host.mount}${cgroup}/${host.name}`;
  return { bundle, stateFile: `${bundle}/state.json`, limitFile, initialLimit: readLimit(limitFile) };
}

async function makePrograms(pod: Pod): Promise<Program[]> {
  const at = (name: string) => `${pod.directory}/${name}`;
  await writeFile(at("empty.ts"), "export {};\n");
  await compile(at("empty.ts"), at("empty"), process.arch as Arch, "bench");
  await compile(`${import.meta.dir}/../../src/main.ts`, at("wasp"), process.arch as Arch, "bench");
  await $`cp ${at("empty")} ${at("empty-again")}`;
  for (const name of ["empty", "empty-again", "wasp"]) await placeCopies(at(name));
  await writeFile(at("hook.sh"), shellHookScript(pod.runcRoot));
  const flags = ["--swap-behavior", "LimitedSwap", "--log-file", at("hook.log")];
  const copy = (name: string, number: number) => `${at(name)}.${number}`;
  return [
    { name: "a   empty program", argv: (i) => [copy("empty", i)], writes: false },
    { name: "a'  empty program, control", argv: (i) => [copy("empty-again", i)], writes: false },
    { name: "b   wasp hook", argv: (i) => [copy("wasp", i), "hook"], writes: true },
    { name: "c   wasp hook, with flags", argv: (i) => [copy("wasp", i), "hook", ...flags], writes: true },
    { name: "d   shell hook", argv: () => ["/bin/bash", at("hook.sh")], writes: true },
    { name: "e   guard of an empty program", argv: (i) => guarded(copy("empty", i)), writes: false },
    { name: "f   guard of wasp hook", argv: (i) => guarded(copy("wasp", i)), writes: true },
  ];
}

/** Command line of the hook as hooks.d/ has it, with another executable. */
function guarded(program: string): string[] {
  const { path, args } = guardedHook(program);
  return [path, ...args.slice(1)];
}

/**
 * Copies an executable, and reads the copies back from the disk as after a boot; they are measured in turn. The
 * placement of a file in the page cache is a fifth of an empty program's time, and stays the same while it is cached: a
 * single copy would be lucky or unlucky in every round.
 */
async function placeCopies(binary: string): Promise<void> {
  for (let number = 0; number < COPIES; number++) {
    const copy = `${binary}.${number}`;
    await $`cp ${binary} ${copy} && sync ${copy} && dd of=${copy} oflag=nocache conv=notrunc,fdatasync count=0 && cat ${copy} > /dev/null`.quiet();
  }
}

/** Work of wasp-agent's hook: three runs of jq, and an update that lifts the limit of a Burstable container. */
function shellHookScript(runcRoot: string): string {
  return `state=$(cat)
id=$(jq --raw-output .id <<< "$state")
bundle=$(jq --raw-output .bundle <<< "$state")
cgroup=$(jq --raw-output .linux.cgroupsPath "$bundle/config.json")
if [[ $cgroup == *burst* ]]; then runc --root ${runcRoot} update --memory-swap -1 "$id"; fi
`;
}

function measure(program: Program, target: Target, copy: number): Sample {
  writeFileSync(target.limitFile, target.initialLimit);
  const started = performance.now();
  const { exitCode, resourceUsage } = Bun.spawnSync([...program.argv(copy)], {
    ...surroundings(target),
    stderr: "ignore",
  });
  const wall = performance.now() - started;
  const hasWritten = readLimit(target.limitFile) !== target.initialLimit;
  if (exitCode !== 0 || hasWritten !== program.writes)
    throw new Error(`${program.name}: did not do its work`);
  return { wall, cpu: Number(resourceUsage.cpuTime.total) / 1000 };
}

/**
 * Measures the peak resident set of a program, in MiB. The kernel counts the parent's memory until exec, and this
 * process is larger than the measured ones, so a small program in between starts them and asks the kernel.
 */
function measurePeak(program: Program, target: Target, copy: number): number {
  writeFileSync(target.limitFile, target.initialLimit);
  const getrusage = process.arch === "arm64" ? 165 : 98;
  const script = `system { $ARGV[0] } @ARGV; syscall ${getrusage}, -1, my $usage = "\\0" x 144; print STDERR +(unpack "q18", $usage)[4]`;
  const { stderr } = Bun.spawnSync(["perl", "-e", script, ...program.argv(copy)], surroundings(target));
  return Number(stderr.toString()) / 1024;
}

/**
 * Runtime's environment of a hook: the bundle as the working directory, the variables of hooks.d/, the state on
 * standard input.
 */
function surroundings({ bundle, stateFile }: Target) {
  const env = Object.fromEntries(hookDefinition.hook.env.map((entry) => entry.split("=", 2)));
  return { cwd: bundle, env, stdin: Bun.file(stateFile), stdout: "ignore", stderr: "pipe" } as const;
}

function readLimit(file: string): string {
  return readFileSync(file, "utf8").trimEnd();
}

function printResults(results: readonly Result[], rounds: number): void {
  const [a, control, b, c, d, e, f] = results as [Result, Result, Result, Result, Result, Result, Result];
  console.log(`${rounds} rounds, all programs in turn; milliseconds, and MiB of peak resident set\n`);
  printTable(
    ["", "wall min", "median", "p95", "CPU min", "median", "p95", "peak"],
    results.map(({ name, samples, peakMebibytes }) => [
      name,
      ...spread(samples.map(({ wall }) => wall)),
      ...spread(samples.map(({ cpu }) => cpu)),
      peakMebibytes.toFixed(1),
    ]),
  );
  printTable(
    ["ratio of medians", "wall", "CPU", "goal"],
    [
      ["a'/a  control", ...ratios(control, a), "1.00"],
      ["b/a   hook to empty", ...ratios(b, a), "at most 1.4"],
      ["c/a   with flags", ...ratios(c, a), ""],
      ["d/b   shell to hook", ...ratios(d, b), "at least 10"],
      // What the guard's own processes take of a processor is not counted: they end without it.
      ["e/a   guard of empty to empty", ratios(e, a)[0] ?? "", "", ""],
      ["f/b   guard of hook to hook", ratios(f, b)[0] ?? "", "", ""],
    ],
  );
  printTable(["MiB", "peak", "goal"], [["b     hook", b.peakMebibytes.toFixed(1), "at most 40"]]);
}

function spread(values: readonly number[]): string[] {
  return [quantile(values, 0), quantile(values, 0.5), quantile(values, 0.95)].map((it) => it.toFixed(2));
}

function ratios(of: Result, to: Result): string[] {
  const median = ({ samples }: Result, kind: keyof Sample) =>
    quantile(
      samples.map((it) => it[kind]),
      0.5,
    );
  return (["wall", "cpu"] as const).map((kind) => (median(of, kind) / median(to, kind)).toFixed(2));
}

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "100" }, inside: { type: "boolean", default: false } },
});
if (options.inside) {
  await bench(Number(options.rounds));
} else {
  // The node's meminfo is mounted in a mount namespace that ends with the run.
  const again = [
    "unshare",
    "--mount",
    process.execPath,
    import.meta.path,
    "--inside",
    "--rounds",
    options.rounds,
  ];
  process.exitCode = Bun.spawnSync(again, { stdio: ["inherit", "inherit", "inherit"] }).exitCode;
}
