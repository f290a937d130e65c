// `npm start`: builds dist/wasp and runs `wasp hook` on recordings of containers that real runtimes were about to start.
// It prints the hook's input, its decision with the reason, and the limits that it wrote.
import { $ } from "bun";
import { ROOT, wasp } from "./node/binary.ts";
import { FakeNode, RECORDED_NODE } from "./node/fake-node.ts";
import { type RecordedContainer, recordedContainers } from "./node/recorded.ts";
import { Pod, requireHost, waspHook } from "./runc/container.ts";

const MEBIBYTE = 1024 ** 2;

await $`${process.execPath} build.ts`.cwd(ROOT);
await showRecorded();
await showReal();

async function showRecorded(): Promise<void> {
  const { memoryKibibytes, swapKibibytes } = RECORDED_NODE;
  const sizes = `${mebibytes(memoryKibibytes * 1024)} of memory, ${mebibytes(swapKibibytes * 1024)} of swap`;
  console.log(`\nContainers that CRI-O was about to start on a Kubernetes 1.36 node (${sizes}):\n`);
  const rows = await Promise.all(recordedContainers().map(rowOf));
  printTable(["POD, RUNTIME", "SLICE", "NAMESPACE", "OOM ADJ", "MEMORY", "DECISION", "WRITTEN"], rows);
}

async function rowOf(container: RecordedContainer): Promise<string[]> {
  using node = new FakeNode(2);
  node.add(container);
  const before = node.cgroupFiles();
  await wasp(["hook", "--fsroot", node.root, "--log-file", node.log], new Blob([container.state]));
  const { reason, limitBytes } = fieldsOf(node.logged[0] ?? "");
  const decision = `${limit(limitBytes ?? "")}: ${reason}`;
  return [container.name, ...inputOf(container), decision, changesIn(before, node.cgroupFiles())];
}

function inputOf(container: RecordedContainer): string[] {
  const { annotations, linux, process } = JSON.parse(container.config ?? "");
  const slice: string = linux.cgroupsPath.replace(/-pod[0-9a-f_]+\.slice.*/, "");
  const memoryLimitBytes: number | undefined = linux.resources.memory?.limit;
  const memory = memoryLimitBytes === undefined ? "no limit" : mebibytes(memoryLimitBytes);
  return [slice, annotations["io.kubernetes.pod.namespace"], String(process.oomScoreAdj), memory];
}

function changesIn(before: Record<string, string>, after: Record<string, string>): string {
  const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
  const level = (path: string) => (path.endsWith("/container/memory.swap.max") ? "container" : "scope");
  const changes = changed.map(
    (path) => `${level(path)} ${limit(before[path] ?? "")} -> ${limit(after[path] ?? "")}`,
  );
  return changes.length === 0 ? "nothing, already right" : changes.reverse().join(", ");
}

async function showReal(): Promise<void> {
  let host: ReturnType<typeof requireHost>;
  try {
    host = requireHost();
  } catch (error) {
    console.log(`\nNo real container on this host: ${(error as Error).message}`);
    return;
  }
  await using pod = await Pod.make("/kubepods/burstable", host);
  const log = `${pod.directory}/hook.log`;
  const memoryLimitBytes = 128 * MEBIBYTE;
  const { stdout, stderr } = await pod.run({
    args: ["cat", `${host.mount}/${host.name}`],
    hooks: [waspHook("--log-file", log)],
    oomScoreAdj: 984,
    memoryLimitBytes,
  });
  const runc = (await $`runc --version`.text()).split("\n")[0];
  console.log(
    `\nA real container on this machine (${runc}, cgroup v${host.cgroupVersion}), in a pod of the recorded node's size:\n`,
  );
  printTable(
    ["", ""],
    [
      [
        "the hook's input",
        `${pod.cgroup}/..., oom_score_adj 984, memory limit ${mebibytes(memoryLimitBytes)}`,
      ],
      ["wasp's log line", (await Bun.file(log).text()).trim().replace(/^.*?hook: /, "")],
      [
        "limit that its first process read",
        `${host.name} ${stdout.trim()}${stderr}${sum(host.cgroupVersion, Number(stdout), memoryLimitBytes)}`,
      ],
    ],
  );
}

// cgroup v1 limits the sum of memory and swap.
function sum(version: 1 | 2, readBytes: number, memoryLimitBytes: number): string {
  if (version === 2) return ` (${mebibytes(readBytes)} of swap)`;
  return ` (${mebibytes(memoryLimitBytes)} of memory + ${mebibytes(readBytes - memoryLimitBytes)} of swap)`;
}

function fieldsOf(line: string): Record<string, string> {
  return Object.fromEntries([...line.matchAll(/ (\w+)=(\S+)/g)].map((match) => [match[1], match[2]]));
}

function limit(text: string): string {
  return text === "max" || text === "0" ? text : mebibytes(Number(text));
}

function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(bytes % MEBIBYTE === 0 ? 0 : 1)} MiB`;
}

function printTable(head: string[], rows: string[][]): void {
  const table = head.every((title) => title === "") ? rows : [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  for (const row of table) {
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
  }
}
