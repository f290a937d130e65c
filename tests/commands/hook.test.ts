import { describe, expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { markKubeletLimits } from "../../src/host/kubelet-limits-mark.ts";
import { WASP, wasp } from "../node/binary.ts";
import { FakeNode, RECORDED_NODE } from "../node/fake-node.ts";
import { kubeletSwapLimit } from "../node/kubelet.ts";
import { type RecordedContainer, recordedContainer, recordedContainers } from "../node/recorded.ts";
import { patience } from "../patience.ts";

const MI = 2 ** 20;
const memoryTotalBytes = RECORDED_NODE.memoryKibibytes * 1024;
const swapTotalBytes = RECORDED_NODE.swapKibibytes * 1024;
// 984 means a request of at least 16 thousandths of the node's memory.
const burstableBytes = kubeletSwapLimit(
  Math.ceil((16 * memoryTotalBytes) / 1000),
  memoryTotalBytes,
  swapTotalBytes,
);

// biome-ignore lint/suspicious/noExplicitAny: a config is made invalid here
type Json = any;

/** Runs the hook for a container of a fake node, as its runtime would. */
async function runHook(node: FakeNode, state: string, ...flags: string[]) {
  const args = ["hook", "--fsroot", node.root, "--log-file", node.log, ...flags];
  const outcome = await wasp(args, new Blob([state]));
  expect(outcome).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  return node.logged;
}

/** The recorded Burstable container of runc, with changes to its config. */
function burstable(changes: (config: Json) => void): RecordedContainer {
  const container = recordedContainer("burstable-runc");
  const config = JSON.parse(container.config ?? "");
  changes(config);
  return { ...container, config: JSON.stringify(config) };
}

describe("a recorded container", () => {
  test.concurrent.each(recordedContainers())("$name", async (container) => {
    using node = new FakeNode(2);
    node.add(container);
    const before = node.cgroupFiles();
    const [line, ...more] = await runHook(node, container.state);
    expect(more).toEqual([]);
    const expected = container.name.startsWith("burstable") ? burstableBytes : 0;
    const reason = /^(burstable|guaranteed|besteffort|critical)/.exec(container.name)?.[0] ?? "";
    const reasons: Record<string, string> = {
      burstable: "limited-swap",
      guaranteed: "guaranteed",
      besteffort: "best-effort",
      critical: "excluded-namespace",
    };
    const event = expected > 0 ? "swap-limit-set" : "swap-limit-kept";
    expect(line).toStartWith(`${event} id=${JSON.parse(container.state).id} `);
    expect(line).toContain(` reason=${reasons[reason]} limitBytes=${expected} `);
    expect(line).toEndWith(` beforeBytes=0 effectiveBytes=${expected}`);
    // Each cgroup level of the container has it, and no other file has changed.
    const own = Object.keys(before).filter((path) => /\/crio-[0-9a-f]{64}\.scope\//.test(path));
    const changed = expected > 0 ? Object.fromEntries(own.map((path) => [path, String(expected)])) : {};
    expect(node.cgroupFiles()).toEqual({ ...before, ...changed });
  });

  test("of kubelet's own LimitedSwap is left as it is", async () => {
    using node = new FakeNode(2);
    const container = burstable((config) => {
      config["linux"].resources.unified["memory.swap.max"] = "17519640";
    });
    node.add(container);
    const before = node.cgroupFiles();
    expect(await runHook(node, container.state)).toEqual([
      expect.stringMatching(/^swap-limit-left .* reason=kubelet-limited-swap$/),
    ]);
    expect(node.cgroupFiles()).toEqual(before);
  });
});

describe("where the agent has found that the kubelet limits swap itself", () => {
  const HOUR_SECONDS = 3600;
  const nowSeconds = Date.now() / 1000;

  test.concurrent.each<[string, cgroup: string, markedSeconds: number, flags: string[], string]>([
    [
      "all of its zeros stay",
      "/kubepods.slice",
      nowSeconds,
      [],
      "swap-limit-left .* reason=kubelet-limited-swap$",
    ],
    [
      "unlimited swap is none of the hook's either",
      "/kubepods.slice",
      nowSeconds,
      ["--swap-behavior=UnlimitedSwap"],
      "swap-limit-left .* reason=kubelet-limited-swap$",
    ],
    [
      "a mark without an agent that renews it loses its effect",
      "/kubepods.slice",
      nowSeconds - 2 * HOUR_SECONDS,
      [],
      `swap-limit-set .* effectiveBytes=${burstableBytes}$`,
    ],
    [
      "a mark of a clock that was set back has none",
      "/kubepods.slice",
      nowSeconds + 2 * HOUR_SECONDS,
      [],
      `swap-limit-set .* effectiveBytes=${burstableBytes}$`,
    ],
    [
      "a mark elsewhere has none",
      "/system.slice",
      nowSeconds,
      [],
      `swap-limit-set .* effectiveBytes=${burstableBytes}$`,
    ],
  ])("%s", async (_, cgroup, markedSeconds, flags, line) => {
    using node = new FakeNode(2);
    const container = recordedContainer("burstable-runc");
    node.add(container);
    node.write(`${node.mount}/system.slice/memory.swap.max`, "max\n");
    markKubeletLimits(`${node.root}${node.mount}${cgroup}`, markedSeconds);
    expect(await runHook(node, container.state, ...flags)).toEqual([
      expect.stringMatching(new RegExp(`^${line}`)),
    ]);
  });
});

describe("flags", () => {
  const unlimited = "9223372036854771712";

  test.concurrent.each<[string[], string, string]>([
    [["--swap-behavior", "NoSwap"], "0", "swap-limit-kept .* reason=swap-behavior"],
    [["--swap-behavior=UnlimitedSwap"], "max", "swap-limit-set .* reason=unlimited-swap limitBytes=max"],
    [["--workloads", "VirtualMachines"], "0", "swap-limit-kept .* reason=not-virtual-machine"],
    [
      ["--exclude-namespace", "prod", "--exclude-namespace", "te*"],
      "0",
      "swap-limit-kept .* reason=excluded-namespace",
    ],
    [["--exclude-namespace", "prod"], String(burstableBytes), "swap-limit-set"],
    [["--system-reserved-swap", "512Mi"], "8589869", "swap-limit-set .* limitBytes=8589869"],
    [["--dry-run"], "0", `swap-limit-planned .* limitBytes=${burstableBytes} .* effectiveBytes=0`],
    [["--pod-overrides", "Any"], String(burstableBytes), "swap-limit-set"],
  ])("%j", async (flags, limit, line) => {
    using node = new FakeNode(2);
    const container = recordedContainer("burstable-runc");
    node.add(container);
    expect(await runHook(node, container.state, ...flags)).toEqual([
      expect.stringMatching(new RegExp(`^${line}`)),
    ]);
    expect(node.read(`${node.mount}${container.cgroup}/memory.swap.max`)).toBe(limit);
  });

  test.concurrent.each<[string[], string]>([
    [["--dry-rum"], "unknown flag --dry-rum: did you mean --dry-run?"],
    [
      ["--swap-behavior", "Limited"],
      '--swap-behavior: \\"Limited\\" is not one of NoSwap, LimitedSwap, UnlimitedSwap',
    ],
    [["--workloads"], "--workloads needs a value"],
    [
      ["--system-reserved-swap", "-1"],
      '--system-reserved-swap: \\"-1\\" is not a quantity of bytes, such as 512Mi',
    ],
    [["--dry-run=yes"], '--dry-run takes no value, not \\"yes\\"'],
    [["--exclude-namespace", "Kube_System"], '--exclude-namespace: \\"Kube_System\\" is not a namespace'],
    [["really"], "unexpected argument really"],
  ])("%j is refused: nothing is written, and the line says what is right", async (flags, message) => {
    using node = new FakeNode(2);
    const container = recordedContainer("burstable-runc");
    node.add(container);
    const before = node.cgroupFiles();
    // An invalid command line names no log file, so the line goes to the kernel's log, or else to stderr.
    const id = crypto.randomUUID();
    const state = JSON.stringify({ ...JSON.parse(container.state), id });
    const { exitCode, stderr } = await wasp(["hook", "--fsroot", node.root, ...flags], new Blob([state]));
    expect(exitCode).toBe(0);
    expect(node.cgroupFiles()).toEqual(before);
    const lines = `${kernelLog()}${stderr}`
      .split("\n")
      .filter((line) => line.includes(`hook-failed id=${id} `));
    expect(lines).toEqual([expect.stringContaining(message)]);
  });

  test.concurrent.each<[string, string[], string, string, string]>([
    [
      "its share beside its memory limit",
      [],
      `${512 * MI}`,
      `${512 * MI + burstableBytes}`,
      `swap-limit-set .* effectiveBytes=${burstableBytes}`,
    ],
    ["nothing without a memory limit", [], unlimited, unlimited, "swap-limit-left .* reason=no-memory-limit"],
    [
      "no limit without a memory limit",
      ["--swap-behavior=UnlimitedSwap"],
      unlimited,
      unlimited,
      "swap-limit-kept .* effectiveBytes=max",
    ],
  ])("cgroup v1 gives %s", async (_, flags, memoryLimit, memsw, line) => {
    using node = new FakeNode(1);
    const pod = "/kubepods/burstable/pod403f7dc8-a1f6-4e91-b1db-3419c15315d9";
    const container = burstable((config) => {
      config.linux.cgroupsPath = `${pod}/abc`;
      if (memoryLimit === unlimited) delete config.linux.resources.memory;
    });
    const files = {
      "/kubepods/memory.memsw.limit_in_bytes": unlimited,
      "/kubepods/burstable/memory.memsw.limit_in_bytes": unlimited,
      [`${pod}/memory.memsw.limit_in_bytes`]: unlimited,
      [`${pod}/abc/memory.limit_in_bytes`]: memoryLimit,
      [`${pod}/abc/memory.memsw.limit_in_bytes`]: memoryLimit,
    };
    node.add({ ...container, cgroup: `${pod}/abc`, files });
    expect(await runHook(node, container.state, ...flags)).toEqual([
      expect.stringMatching(new RegExp(`^${line}`)),
    ]);
    expect(node.read(`${node.mount}${pod}/abc/memory.memsw.limit_in_bytes`)).toBe(memsw);
    expect(node.read(`${node.mount}${pod}/memory.memsw.limit_in_bytes`)).toBe(unlimited);
  });

  test("a parent with a lower limit is logged", async () => {
    using node = new FakeNode(2);
    const container = recordedContainer("burstable-crun");
    node.add(container);
    const slice = container.cgroup.split("/").slice(0, 3).join("/");
    node.write(`${node.mount}${slice}/memory.swap.max`, "4096\n");
    expect(await runHook(node, container.state)).toEqual([
      expect.stringMatching(
        new RegExp(`^swap-limit-unmet .* limitBytes=${burstableBytes} .* effectiveBytes=4096$`),
      ),
    ]);
  });
});

describe("on invalid input the container starts, nothing is written, and one line has the reason", () => {
  const container = recordedContainer("burstable-runc");
  const state = JSON.parse(container.state);
  const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;

  test.concurrent.each<[string, string, string]>([
    ["nothing", "", "OCI state: is empty"],
    ["half a state", container.state.slice(0, 500), "OCI state: is not JSON"],
    ["another thing", "[1,2]", "OCI state: must be an object, not a list"],
    ["deep nesting", deep, "OCI state: must be an object, not a list"],
    ["zeros", "\0".repeat(100_000), "OCI state: is not JSON"],
    [
      "no pid",
      JSON.stringify({ ...state, pid: undefined }),
      "OCI state: pid: must be a process's number, not nothing",
    ],
    [
      "a pid with a path in it",
      JSON.stringify({ ...state, pid: "1/../2" }),
      'OCI state: pid: must be a number, not \\"1/../2\\"',
    ],
    [
      "pid 0, as crun has it at createContainer",
      JSON.stringify({ ...state, pid: 0 }),
      "OCI state: pid: must be a process's number, not 0",
    ],
    ["a pid that is gone", JSON.stringify({ ...state, pid: 99 }), "process 99 is gone"],
    [
      "a relative bundle",
      JSON.stringify({ ...state, bundle: "." }),
      'OCI state: bundle: must be an absolute path, not \\".\\"',
    ],
    ["a bundle with a NUL", JSON.stringify({ ...state, bundle: "/a\0b" }), "a path holds no NUL"],
    [
      "no bundle there",
      JSON.stringify({ ...state, bundle: "/none" }),
      "/none/config.json: No such file or directory",
    ],
  ])("%s", async (_, input, message) => {
    using node = new FakeNode(2);
    node.add(container);
    const before = node.cgroupFiles();
    const lines = await runHook(node, input);
    expect(lines).toEqual([expect.stringContaining("hook-failed")]);
    expect(lines[0]).toContain(message);
    expect(node.cgroupFiles()).toEqual(before);
  });

  test.concurrent.each<[string, (config: Json) => unknown, string]>([
    [
      "a cgroupsPath with ..",
      (c) => (c.linux.cgroupsPath = "/kubepods/burstable/pod1/../../../x"),
      "swap-limit-left .* reason=not-kubernetes",
    ],
    [
      "a cgroupsPath that is a number",
      (c) => (c.linux.cgroupsPath = 5),
      "hook-failed .*linux: cgroupsPath: must be a string, not 5",
    ],
    [
      "another container's cgroupsPath",
      (c) => (c.linux.cgroupsPath = c.linux.cgroupsPath.replace(/.$/, "x")),
      "hook-failed .*process 1484 is not in kubepods-burstable-pod.*x.scope, as its config says, but in /kubepods.slice",
    ],
    ["no linux section", (c) => delete c.linux, "swap-limit-left .* reason=not-kubernetes"],
    [
      "resources that are a list",
      (c) => (c.linux.resources = []),
      "hook-failed .*resources: must be an object",
    ],
    [
      "a memory limit that is a text",
      (c) => (c.linux.resources.memory.limit = "1"),
      "hook-failed .*limit: must be a number",
    ],
    [
      "annotations that are null",
      (c) => (c.annotations = null),
      "swap-limit-set id=\\w+ reason=limited-swap",
    ],
  ])("%s", async (_, change, line) => {
    using node = new FakeNode(2);
    const changed = burstable(change);
    node.add(changed);
    const before = node.cgroupFiles();
    expect(await runHook(node, container.state)).toEqual([expect.stringMatching(new RegExp(`^${line}`))]);
    if (!line.startsWith("swap-limit-set")) expect(node.cgroupFiles()).toEqual(before);
  });

  test.concurrent.each<[string, (cgroup: string) => string]>([
    ["a process seen from another cgroup namespace", (cgroup) => `/../..${cgroup}`],
    ["a process beside its container", (cgroup) => `${cgroup}-not/child`],
    ["a process above its container", (cgroup) => cgroup.slice(0, cgroup.lastIndexOf("/"))],
    ["a process in the root", () => "/"],
  ])("%s", async (_, place) => {
    using node = new FakeNode(2);
    node.add(container);
    node.write(`/proc/${container.pid}/cgroup`, `0::${place(container.cgroup)}\n`);
    const before = node.cgroupFiles();
    expect(await runHook(node, container.state)).toEqual([
      expect.stringMatching(/^hook-failed .*process 1484 is not in kubepods-burstable-pod/),
    ]);
    expect(node.cgroupFiles()).toEqual(before);
  });

  test("a truncated config.json", async () => {
    using node = new FakeNode(2);
    node.add({ ...container, config: container.config?.slice(0, 900) });
    expect(await runHook(node, container.state)).toEqual([
      expect.stringMatching(/^hook-failed .*config.json: is not JSON/),
    ]);
  });

  test("a config.json of 40 MiB", async () => {
    using node = new FakeNode(2);
    node.add({ ...container, config: " ".repeat(40 * MI) });
    expect(await runHook(node, container.state)).toEqual([
      expect.stringMatching(/^hook-failed .*holds more than the 16777216 bytes/),
    ]);
  });

  test("a FIFO in config.json's place", async () => {
    using node = new FakeNode(2);
    node.add({ ...container, config: undefined });
    node.write(`${container.bundle}/other`, "");
    Bun.spawnSync(["mkfifo", `${node.root}${container.bundle}/config.json`]);
    expect(await runHook(node, container.state)).toEqual([
      expect.stringMatching(/^hook-failed .*config.json: is empty/),
    ]);
  });

  test.concurrent.each<[string, string | undefined, string]>([
    ["no meminfo", undefined, "hook-failed .*meminfo: No such file"],
    ["an empty meminfo", "", "hook-failed .*no MemTotal in it"],
    [
      "a kernel without swap",
      "MemTotal: 4016548 kB\n",
      "swap-limit-kept .* reason=no-swap-on-node limitBytes=0",
    ],
  ])("%s", async (_, meminfo, line) => {
    using node = new FakeNode(2);
    node.add(container);
    Bun.spawnSync(["rm", `${node.root}/proc/meminfo`]);
    if (meminfo !== undefined) node.write("/proc/meminfo", meminfo);
    expect(await runHook(node, container.state)).toEqual([expect.stringMatching(new RegExp(`^${line}`))]);
  });

  test("no swap controller", async () => {
    using node = new FakeNode(2);
    node.add({ ...container, files: {} });
    expect(await runHook(node, container.state)).toEqual([
      expect.stringMatching(
        /^hook-failed .*reason=limited-swap .*memory\.swap\.max: No such file or directory/,
      ),
    ]);
    expect(node.cgroupFiles()).toEqual({});
  });

  test("a limit file that is a link to somewhere else", async () => {
    using node = new FakeNode(2);
    node.add(container);
    node.write("/precious", "0\n");
    const file = `${node.root}${node.mount}${container.cgroup}/memory.swap.max`;
    Bun.spawnSync(["ln", "-sf", `${node.root}/precious`, file]);
    expect(await runHook(node, container.state)).toEqual([
      expect.stringMatching(/^hook-failed .*Too many levels of symbolic links/),
    ]);
    expect(node.read("/precious")).toBe("0");
  });

  test("64 MiB: all of it is read, and little of it kept", async () => {
    using node = new FakeNode(2);
    // A file: the pace of a writer at the other end of a pipe would count against the hook's 2 s.
    const input = `${node.root}/input`;
    writeFileSync(input, "");
    truncateSync(input, 64 * MI);
    // wc counts what is left. GNU time reports the hook's own peak: that of spawn starts at this process's.
    const script = 'exec 0< "$1"; shift; /usr/bin/time --format=%M "$@" && wc --bytes';
    const args = ["hook", "--fsroot", node.root, "--log-file", node.log];
    const run = Bun.spawn(["sh", "-c", script, "sh", input, WASP, ...args], {
      stdout: "pipe",
      stderr: "pipe",
      env: {},
    });
    const [left, peakKibibytes] = await Promise.all([run.stdout.text(), run.stderr.text()]);
    expect(left).toBe("0\n");
    expect(Number(peakKibibytes)).toBeLessThan(80 * 1024);
    expect(node.logged).toEqual([
      expect.stringMatching(/^hook-failed error="standard input holds more than the 4194304 bytes allowed"$/),
    ]);
  });

  test.concurrent.each(["pipe", "FIFO"])(
    "a standard input (%s) that never ends is given up",
    async (kind) => {
      using node = new FakeNode(2);
      const fifo = `${node.root}/fifo`;
      Bun.spawnSync(["mkfifo", fifo]);
      // A FIFO that is opened to read and write keeps a writer.
      const command = kind === "FIFO" ? ["sh", "-c", `exec "$@" 0<>${fifo}`, "sh"] : [];
      const args = ["hook", "--fsroot", node.root, "--log-file", node.log];
      const hook = Bun.spawn([...command, WASP, ...args], { stdin: "pipe", env: {} });
      expect(await hook.exited).toBe(0);
      expect(node.logged).toEqual([
        expect.stringMatching(/^hook-failed error="standard input did not end in time/),
      ]);
    },
    patience(30),
  );

  test("a user at a terminal sees the error", async () => {
    const run = Bun.spawn(
      ["script", "--quiet", "--return", "--command", `${WASP} hook --dry-rum`, "/dev/null"],
      {
        stdin: "ignore",
        stdout: "pipe",
      },
    );
    expect(await run.stdout.text()).toContain(
      'hook-failed error="unknown flag --dry-rum: did you mean --dry-run?',
    );
    expect(await run.exited).toBe(0);
  });

  test("a host that forbids the JIT, which system calls need", async () => {
    const { exitCode, stderr } = await wasp(["hook"], new Blob([container.state]), { BUN_JSC_useJIT: "0" });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining("hook-failed") });
  });
});

function kernelLog(): string {
  return Bun.spawnSync(["dmesg"]).stdout.toString();
}
