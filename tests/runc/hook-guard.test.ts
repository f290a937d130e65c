/** Containers of the host's own runc start whatever becomes of `wasp hook`, and its cost is not their pod's. */
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, copyFile, readFile, writeFile } from "node:fs/promises";
import { patience } from "../patience.ts";
import { guardedHook, type OciHook, Pod, requireHost, type SwapFile, waspHook } from "./container.ts";

setDefaultTimeout(patience(60));

const MEBIBYTE = 1024 ** 2;

let host: SwapFile;

beforeAll(() => {
  host = requireHost();
});

/** A container that prints a line. */
const started = (...hooks: readonly OciHook[]) => ({
  args: ["echo", "started"],
  hooks,
  oomScoreAdj: 984,
  memoryLimitBytes: 64 * MEBIBYTE,
});
const START = { exitCode: 0, stdout: "started\n", stderr: "" };

/** Returns the lines of hook failures in the kernel's log that name a container of the pod. */
async function failuresOf(pod: Pod): Promise<string[]> {
  const log = await Bun.$`dmesg`.text();
  return log.split("\n").filter((line) => pod.ids.some((id) => line.includes(` hook-failed id=${id} `)));
}

/** Writes a program into the pod's folder, and returns its path. */
async function programIn(pod: Pod, script: string): Promise<string> {
  const path = `${pod.directory}/wasp`;
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

describe("a container starts, and one line names it,", () => {
  const fates: readonly (readonly [string, (pod: Pod) => Promise<string>, string])[] = [
    ["without wasp", async (pod) => `${pod.directory}/none`, "is not there, or is empty"],
    [
      "with a wasp that is not executable",
      async (pod) => {
        const path = await programIn(pod, "");
        await chmod(path, 0o644);
        return path;
      },
      "cannot be executed",
    ],
    ["with a wasp that is killed", (pod) => programIn(pod, "kill -KILL $$"), "was killed by signal 9"],
    ["with a wasp that crashes", (pod) => programIn(pod, "kill -SEGV $$"), "was killed by signal 11"],
    ["with a wasp for another processor", (pod) => programIn(pod, "kill -ILL $$"), "was killed by signal 4"],
    ["with a wasp that fails", (pod) => programIn(pod, "exit 1"), "ended with status 1"],
    [
      "with the first half of wasp",
      async (pod) => {
        const path = `${pod.directory}/wasp`;
        await copyFile(process.execPath, path);
        await Bun.$`truncate --size=64K ${path}`;
        return path;
      },
      "was killed by signal",
    ],
    ["with a wasp that sleeps", (pod) => programIn(pod, "exec sleep 1000"), "did not end within 10 s"],
  ];

  test.concurrent.each(fates)("%s", async (_, make, line) => {
    await using pod = await Pod.make("/kubepods/burstable", host);
    const path = await make(pod);
    const before = performance.now();
    expect(await pod.run(started(guardedHook(path)))).toEqual(START);
    // The runtime's own timeout is 30 s.
    expect((performance.now() - before) / 1000).toBeLessThan(patience(20) / 1000);
    expect(await failuresOf(pod)).toEqual([expect.stringContaining(` error="${path} ${line}`)]);
  });

  test("with a log on a frozen file system, whose writer cannot even be killed", async () => {
    await using pod = await Pod.make("/kubepods/burstable", host);
    const disk = `${pod.directory}/disk`;
    await Bun.$`mkdir ${disk} && truncate --size=16M ${disk}.img && mkfs.ext4 -q ${disk}.img && mount -o loop ${disk}.img ${disk}`;
    await Bun.$`fsfreeze --freeze ${disk}`;
    try {
      expect(await pod.run(started(waspHook("--log-file", `${disk}/log`)))).toEqual(START);
      expect(await failuresOf(pod)).toEqual([expect.stringContaining("did not end within 10 s")]);
    } finally {
      // The writer ends with the freeze, and keeps the file system until then.
      const thaw = 'fsfreeze --unfreeze "$1"; until umount "$1" 2>/dev/null; do sleep 0.1; done';
      await Bun.$`sh -c ${thaw} sh ${disk}`;
    }
  });
});

describe("the hook's place", () => {
  /** A hook that writes its cgroups to a file. */
  const cgroupsTo = (pod: Pod) =>
    programIn(pod, `cat > /dev/null; cat /proc/self/cgroup > ${pod.directory}/cgroups`);
  const inOwnMounts = (script: string, { path, args, ...rest }: OciHook): OciHook => {
    const [, ...more] = args;
    return {
      ...rest,
      path: "/usr/bin/unshare",
      args: ["unshare", "--mount", "--cgroup", "sh", "-c", `${script}; exec "$@"`, "sh", path, ...more],
    };
  };

  test("is not the pod's cgroup", async () => {
    await using pod = await Pod.make("/kubepods/burstable", host);
    const hook = guardedHook(await cgroupsTo(pod));
    expect(await pod.runInPod(started(hook))).toEqual(START);
    const lines = (await readFile(`${pod.directory}/cgroups`, "utf8")).trimEnd().split("\n");
    const limiting = lines.filter((line) => /:(memory|cpu|pids|):/.test(line));
    expect(limiting.length).toBeGreaterThan(0);
    expect(limiting.map((line) => line.split(":")[2])).toEqual(limiting.map(() => "/"));
    expect(await failuresOf(pod)).toEqual([]);
  });

  const everyHierarchy = "for each in $(awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts); do";
  test.each([
    ["a read-only cgroup file system", `${everyHierarchy} mount -o remount,bind,ro $each; done`],
    ["no cgroup file system", `${everyHierarchy} umount -l $each; done`],
    ["nothing where it belongs", "mount -t tmpfs none /sys/fs/cgroup"],
    ["a refusal", `${everyHierarchy} mount --bind /proc/self/status $each/tasks || :; done`],
  ])("is the pod's, without a word and with the hook, where there is %s", async (_, script) => {
    await using pod = await Pod.make("/kubepods/burstable", host);
    const hook = inOwnMounts(`{ ${script}; } 2>/dev/null`, guardedHook(await cgroupsTo(pod)));
    expect(await pod.runInPod(started(hook))).toEqual(START);
    const cgroups = await readFile(`${pod.directory}/cgroups`, "utf8");
    expect(cgroups).not.toBe("");
    expect(await failuresOf(pod)).toEqual([]);
  });
});

describe("on cgroup v2, which a host may have beside v1, the guard", () => {
  const hierarchy = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((folder) =>
    existsSync(`${folder}/cgroup.controllers`),
  );
  const cases: readonly (readonly [string, string, string])[] = [
    ["moves to the root", "mount --bind $1 /sys/fs/cgroup", "/"],
    [
      "moves to systemd's own cgroup where the root refuses",
      "mount --bind $1/$2 /sys/fs/cgroup; mount --bind /proc/version /sys/fs/cgroup/cgroup.procs",
      "/$2/init.scope",
    ],
    [
      "stays, and starts the hook, where both refuse",
      "mount --bind $1/$2 /sys/fs/cgroup; for each in . init.scope; do mount --bind /proc/version /sys/fs/cgroup/$each/cgroup.procs; done",
      "/$2/pod",
    ],
  ];

  test.if(hierarchy !== undefined).each(cases)("%s", async (_, mount, place) => {
    await using pod = await Pod.make("/kubepods/burstable", host);
    const path = await programIn(pod, `grep '^0:' /proc/self/cgroup > ${pod.directory}/cgroup`);
    const { path: shell, args } = guardedHook(path);
    const name = `wasp-test-${crypto.randomUUID()}`;
    const folder = `${hierarchy}/${name}`;
    await Bun.$`mkdir -p ${folder}/pod ${folder}/init.scope`;
    try {
      const script = `echo 0 > $1/$2/pod/cgroup.procs; ${mount}; shift 2; exec "$@"`;
      const argv = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
        `${hierarchy}`,
        name,
        shell,
        ...args.slice(1),
      ];
      const run = Bun.spawn(argv, { stdin: new Blob(["{}"]), stderr: "inherit" });
      expect(await run.exited).toBe(0);
      const cgroup = await readFile(`${pod.directory}/cgroup`, "utf8");
      expect(cgroup).toBe(`0::${place.replace("$2", name)}\n`);
    } finally {
      await Bun.$`rmdir ${folder}/pod ${folder}/init.scope ${folder}`;
    }
  });
});

describe("a pod of 12 MiB", () => {
  test("has its container at once though wasp is not in memory, and pays none of it", async () => {
    await using pod = await Pod.make("/kubepods/burstable", host);
    const log = `${pod.directory}/log`;
    await pod.limitMemory(12 * MEBIBYTE);
    const wasp = `${pod.directory}/wasp`;
    await Bun.$`cp ${waspHook().args[4] ?? ""} ${wasp} && sync ${wasp} && dd of=${wasp} oflag=nocache conv=notrunc,fdatasync count=0`.quiet();
    const container = { ...started(guardedHook(wasp, "--log-file", log)), memoryLimitBytes: 12 * MEBIBYTE };
    expect(await pod.runInPod(container)).toEqual(START);
    expect(await readFile(log, "utf8")).toContain(" swap-limit-set ");
    expect(await pod.peakBytes()).toBeLessThan(8 * MEBIBYTE);
  });
});
