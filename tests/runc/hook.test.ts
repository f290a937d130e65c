import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { RECORDED_NODE } from "../node/fake-node.ts";
import { patience } from "../patience.ts";
import {
  type OciHook,
  type Outcome,
  Pod,
  type Recipe,
  requireHost,
  type SwapFile,
  shellHook,
  waspHook,
} from "./container.ts";

setDefaultTimeout(patience(30));

const MEBIBYTE = 1024 ** 2;
const LIMIT_BYTES = 128 * MEBIBYTE;
// What the kubelet gives a Burstable container that requests 64Mi of the recorded node.
const OOM_SCORE_ADJ = 984;
const BURSTABLE = "/kubepods/burstable";
const PAGE_BYTES = BigInt(await Bun.$`getconf PAGESIZE`.text());

let host: SwapFile;

beforeAll(() => {
  host = requireHost();
});

describe("a container reads, at its first instruction,", () => {
  interface Row {
    readonly title: string;
    readonly parent?: string;
    readonly recipe?: Partial<Recipe>;
    readonly flags?: readonly string[];
    /** In bytes; Infinity where its swap has no limit. */
    readonly swapBytes: number;
    readonly event: string;
    readonly reason: string;
  }

  const share = shareOfSwap(OOM_SCORE_ADJ);
  const table: readonly Row[] = [
    {
      title: "its share",
      swapBytes: share,
      event: "swap-limit-set",
      reason: "limited-swap",
    },
    {
      title: "its share where the kubelet allowed none",
      recipe: { memoryAndSwapBytes: LIMIT_BYTES },
      swapBytes: share,
      event: "swap-limit-set",
      reason: "limited-swap",
    },
    {
      title: "its share beside a memory limit that is no whole number of pages",
      recipe: { memoryLimitBytes: 100_000_001 },
      swapBytes: share,
      event: "swap-limit-set",
      reason: "limited-swap",
    },
    {
      title: "its share below a prefix of the kubelet's",
      parent: "/wasp-test/outer/kubepods/burstable",
      swapBytes: share,
      event: "swap-limit-set",
      reason: "limited-swap",
    },
    {
      title: "none when it may request as much as its limit",
      recipe: { memoryLimitBytes: 64 * MEBIBYTE },
      swapBytes: 0,
      event: "swap-limit-set",
      reason: "request-equals-limit",
    },
    {
      title: "none when it may request nothing",
      recipe: { oomScoreAdj: 999 },
      swapBytes: 0,
      event: "swap-limit-set",
      reason: "request-unknown",
    },
    {
      title: "none in a Guaranteed pod",
      parent: "/kubepods",
      // runc may not set the kubelet's -997 in a container of the host's own.
      recipe: { oomScoreAdj: 0 },
      swapBytes: 0,
      event: "swap-limit-set",
      reason: "guaranteed",
    },
    {
      title: "none in a BestEffort pod",
      parent: "/kubepods/besteffort",
      recipe: { oomScoreAdj: 1000 },
      swapBytes: 0,
      event: "swap-limit-set",
      reason: "best-effort",
    },
    {
      title: "none in a BestEffort pod where the kubelet allowed none",
      parent: "/kubepods/besteffort",
      recipe: { oomScoreAdj: 1000, memoryAndSwapBytes: LIMIT_BYTES },
      swapBytes: 0,
      event: "swap-limit-kept",
      reason: "best-effort",
    },
    {
      title: "none in a namespace that is excluded",
      recipe: { annotations: { "io.kubernetes.pod.namespace": "openshift-monitoring" } },
      swapBytes: 0,
      event: "swap-limit-set",
      reason: "excluded-namespace",
    },
    {
      title: "the less that its pod asks for",
      recipe: { annotations: { "wasp.io/swap-limit": "8Mi" } },
      swapBytes: 8 * MEBIBYTE,
      event: "swap-limit-set",
      reason: "pod-override",
    },
    {
      title: "none with --swap-behavior NoSwap",
      flags: ["--swap-behavior", "NoSwap"],
      swapBytes: 0,
      event: "swap-limit-set",
      reason: "swap-behavior",
    },
    {
      title: "no limit with --swap-behavior UnlimitedSwap",
      recipe: { memoryAndSwapBytes: LIMIT_BYTES },
      flags: ["--swap-behavior=UnlimitedSwap"],
      swapBytes: Number.POSITIVE_INFINITY,
      event: "swap-limit-set",
      reason: "unlimited-swap",
    },
    {
      title: "what runc set with --dry-run",
      recipe: { memoryAndSwapBytes: LIMIT_BYTES + MEBIBYTE },
      flags: ["--dry-run"],
      swapBytes: MEBIBYTE,
      event: "swap-limit-planned",
      reason: "limited-swap",
    },
    {
      title: "what runc set outside kubepods",
      parent: "/wasp-test/machine",
      recipe: { memoryAndSwapBytes: LIMIT_BYTES + MEBIBYTE },
      swapBytes: MEBIBYTE,
      event: "swap-limit-left",
      reason: "not-kubernetes",
    },
  ];

  test.each(table)("$title", async ({ parent = BURSTABLE, recipe, flags = [], ...expected }) => {
    await using pod = await Pod.make(parent, host);
    const logFile = `${pod.directory}/hook.log`;
    const container = { ...burstable(waspHook("--log-file", logFile, ...flags)), ...recipe };

    const outcome = await pod.run(container);

    expect(outcome).toEqual(prints(swapFileText(container.memoryLimitBytes, expected.swapBytes)));
    const lines = await linesOf(logFile);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(` ${expected.event} `);
    expect(lines[0]).toContain(` reason=${expected.reason}`);
  });

  test("its own limit even where its pod's is lower, and the log says so", async () => {
    await using pod = await Pod.make(BURSTABLE, host);
    const logFile = `${pod.directory}/hook.log`;
    // With it the pod's cgroup is there.
    await pod.create(burstable());
    await limitSwapOf(pod.cgroup, LIMIT_BYTES, MEBIBYTE);

    const outcome = await pod.run(burstable(waspHook("--log-file", logFile)));

    expect(outcome).toEqual(prints(swapFileText(LIMIT_BYTES, share)));
    expect(await linesOf(logFile)).toEqual([
      expect.stringMatching(/ swap-limit-unmet .* beforeBytes=1048576 effectiveBytes=1048576$/),
    ]);
  });
});

describe("without a memory limit", () => {
  // cgroup v1 limits swap only together with memory.
  test("a container's swap is left on cgroup v1, and limited on v2", async () => {
    await using pod = await Pod.make(BURSTABLE, host);
    const logFile = `${pod.directory}/hook.log`;
    const { memoryLimitBytes: _, ...unlimited } = burstable(waspHook("--log-file", logFile));

    const outcome = await pod.run(unlimited);

    const isLeft = host.cgroupVersion === 1;
    const swapBytes = isLeft ? Number.POSITIVE_INFINITY : shareOfSwap(OOM_SCORE_ADJ);
    expect(outcome).toEqual(prints(swapFileText(Number.POSITIVE_INFINITY, swapBytes)));
    expect(await linesOf(logFile)).toEqual([
      expect.stringContaining(isLeft ? "swap-limit-left" : "swap-limit-set"),
    ]);
    expect(await linesOf(logFile)).toEqual([
      expect.stringContaining(isLeft ? "reason=no-memory-limit" : "reason=limited-swap"),
    ]);
  });
});

describe("a container starts, with the limit that runc set,", () => {
  const table: readonly { title: string; damage: string; error: string }[] = [
    {
      title: "when config.json is garbage",
      damage: "echo '{\"linux\": nonsense' > config.json",
      error: "is not JSON",
    },
    { title: "when config.json is empty", damage: ": > config.json", error: "is empty" },
    { title: "when config.json is gone", damage: "rm config.json", error: "No such file" },
    {
      title: "when config.json is no object",
      damage: "echo '[1]' > config.json",
      error: "must be an object",
    },
    {
      title: "when config.json holds another type",
      damage: `echo '{"linux": {"cgroupsPath": 7}}' > config.json`,
      error: "cgroupsPath: must be a string",
    },
    {
      title: "when config.json names another container's cgroup",
      damage: `echo '{"linux": {"cgroupsPath": "/kubepods/burstable/pod1/2"}}' > config.json`,
      error: "not in pod1/2",
    },
  ];

  test.each(table)("$title", async ({ damage, error }) => {
    await using pod = await Pod.make(BURSTABLE, host);
    const logFile = `${pod.directory}/hook.log`;

    const outcome = await pod.run(burstable(shellHook(damage), waspHook("--log-file", logFile)));

    expect(outcome).toEqual(prints(swapFileText(LIMIT_BYTES, Number.POSITIVE_INFINITY)));
    expect(await linesOf(logFile)).toEqual([expect.stringContaining(" hook-failed ")]);
    expect(await linesOf(logFile)).toEqual([expect.stringContaining(error)]);
  });

  test("when the hook has a flag that it does not know", async () => {
    await using pod = await Pod.make(BURSTABLE, host);
    const flag = `--no-such-flag-${crypto.randomUUID()}`;

    const outcome = await pod.run(burstable(waspHook(flag)));

    expect(outcome).toEqual(prints(swapFileText(LIMIT_BYTES, Number.POSITIVE_INFINITY)));
    expect(await kernelLog(flag)).toEqual([expect.stringContaining("hook: hook-failed ")]);
  });

  test("though a hook that fails would keep it from starting", async () => {
    await using pod = await Pod.make(BURSTABLE, host);
    const outcome = await pod.run(burstable(shellHook("exit 1")));
    expect(outcome.stdout).toBe("");
    expect(outcome.exitCode).not.toBe(0);
  });
});

describe("the log", () => {
  test("is the kernel's, one line for the container, without --log-file", async () => {
    await using pod = await Pod.make(BURSTABLE, host);
    const name = `pod-${crypto.randomUUID()}`;
    const annotations = { "io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "default" };

    await pod.run({ ...burstable(waspHook()), annotations });

    expect(await kernelLog(name)).toEqual([
      expect.stringMatching(/ hook: swap-limit-set id=\S+ namespace=default pod=.* reason=limited-swap /),
    ]);
  });

  test("is the kernel's where the log file cannot be written, and the limit is set", async () => {
    await using pod = await Pod.make(BURSTABLE, host);
    const name = `pod-${crypto.randomUUID()}`;
    const annotations = { "io.kubernetes.pod.name": name };

    const outcome = await pod.run({
      ...burstable(waspHook("--log-file", "/no/such/folder/log")),
      annotations,
    });

    expect(outcome).toEqual(prints(swapFileText(LIMIT_BYTES, shareOfSwap(OOM_SCORE_ADJ))));
    expect(await kernelLog(name)).toHaveLength(1);
  });

  test("has one line for each of several containers that start at once", async () => {
    await using pod = await Pod.make(BURSTABLE, host);
    const logFile = `${pod.directory}/hook.log`;
    const container = burstable(waspHook("--log-file", logFile));

    const outcomes = await Promise.all(Array.from({ length: 8 }, () => pod.run(container)));

    const expected = prints(swapFileText(LIMIT_BYTES, shareOfSwap(OOM_SCORE_ADJ)));
    expect(outcomes).toEqual(outcomes.map(() => expected));
    const ids = (await linesOf(logFile)).map((line) => / swap-limit-set id=(\S+) /.exec(line)?.[1]);
    expect(ids).toHaveLength(8);
    expect(new Set(ids).size).toBe(8);
  });
});

describe("a container's start", () => {
  test("leaves its neighbour, its pod and all above as they were", async () => {
    await using pod = await Pod.make(BURSTABLE, host);
    const neighbour = await pod.create({ ...burstable(), memoryAndSwapBytes: LIMIT_BYTES + MEBIBYTE });
    await limitSwapOf(pod.cgroup, 4 * LIMIT_BYTES, LIMIT_BYTES);
    const others = [neighbour.cgroup, pod.cgroup, BURSTABLE, "/kubepods"];
    const before = await Promise.all(others.map(swapLimitOf));
    expect(before[0]).toBe(swapFileText(LIMIT_BYTES, MEBIBYTE));

    const outcome = await pod.run(burstable(waspHook("--log-file", `${pod.directory}/hook.log`)));

    expect(outcome).toEqual(prints(swapFileText(LIMIT_BYTES, shareOfSwap(OOM_SCORE_ADJ))));
    expect(await Promise.all(others.map(swapLimitOf))).toEqual(before);
  });
});

describe("a pod of these tests", () => {
  test("leaves nothing behind, even when its test fails", async () => {
    let left: Pod | undefined;
    const failingTest = async () => {
      await using pod = await Pod.make("/wasp-test/kubepods", host);
      left = pod;
      await pod.create(burstable());
      throw new Error("as a test does");
    };

    await expect(failingTest()).rejects.toThrow("as a test does");

    expect(existsSync(left?.directory ?? "/")).toBe(false);
    const cgroups = await readdir("/sys/fs/cgroup", { recursive: true });
    expect(cgroups.filter((path) => path.includes(basename(left?.cgroup ?? "")))).toEqual([]);
  });
});

/** A Burstable container that prints its own swap limit. */
function burstable(...hooks: readonly OciHook[]): Recipe & { memoryLimitBytes: number } {
  const args = ["cat", `${host.mount}/${host.name}`];
  return { args, hooks, oomScoreAdj: OOM_SCORE_ADJ, memoryLimitBytes: LIMIT_BYTES };
}

/** The lowest share of the node's swap that the kubelet may mean by an oom_score_adj, in whole numbers all the way. */
function shareOfSwap(oomScoreAdj: number): number {
  const memory = BigInt(RECORDED_NODE.memoryKibibytes) * 1024n;
  const swap = BigInt(RECORDED_NODE.swapKibibytes) * 1024n;
  const lowestRequest = (BigInt(1000 - oomScoreAdj) * memory + 999n) / 1000n;
  return Number((lowestRequest * swap) / memory);
}

/** Returns the kernel's text for a swap limit: on v1 memory and swap together, and whole pages on both. */
function swapFileText(memoryLimitBytes: number, swapBytes: number): string {
  if (swapBytes === Number.POSITIVE_INFINITY && host.cgroupVersion === 2) return "max";
  if (swapBytes === Number.POSITIVE_INFINITY) return String(wholePages(2n ** 63n - 1n));
  const memory = host.cgroupVersion === 1 ? wholePages(BigInt(memoryLimitBytes)) : 0n;
  return String(wholePages(memory + BigInt(swapBytes)));
}

function wholePages(bytes: bigint): bigint {
  return bytes - (bytes % PAGE_BYTES);
}

function prints(line: string): Outcome {
  return { exitCode: 0, stdout: `${line}\n`, stderr: "" };
}

async function linesOf(file: string): Promise<string[]> {
  return (await readFile(file, "utf8")).trimEnd().split("\n");
}

async function kernelLog(needle: string): Promise<string[]> {
  const log = await Bun.$`dmesg`.text();
  return log.split("\n").filter((line) => line.includes(needle));
}

async function swapLimitOf(cgroup: string): Promise<string> {
  return (await readFile(`${host.mount}${cgroup}/${host.name}`, "utf8")).trimEnd();
}

async function limitSwapOf(cgroup: string, memoryLimitBytes: number, swapBytes: number): Promise<void> {
  const directory = `${host.mount}${cgroup}`;
  if (host.cgroupVersion === 1)
    await writeFile(`${directory}/memory.limit_in_bytes`, String(memoryLimitBytes));
  await writeFile(`${directory}/${host.name}`, swapFileText(memoryLimitBytes, swapBytes));
}
