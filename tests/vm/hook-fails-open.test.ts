/** The hook fails open: the container starts, and one log line has the reason for its missing swap. */
import { describe, expect, test } from "bun:test";
import {
  type ContainerSpec,
  effectiveLimit,
  hookLog,
  installScript,
  runContainer,
  runtimes,
  startContainer,
} from "./container.ts";
import { startNode } from "./node.ts";
import { oomScoreAdjOf32MiB, podSlices } from "./pods.ts";

interface Case {
  name: string;
  /** Script that runs as the hook, in the bundle's folder and a mount namespace. */
  script: string;
  error: string | RegExp;
  /** True if the hook cannot learn the container's ID. */
  isNameless?: boolean;
}

const guest = await startNode();

const spec: ContainerSpec = {
  cgroupParent: podSlices.Burstable,
  oomScoreAdj: oomScoreAdjOf32MiB,
  memory: "64m",
};

const cases: Case[] = [
  {
    name: "an unknown flag",
    script: "exec wasp hook --dry-rum",
    error: /^unknown flag --dry-rum: did you mean --dry-run\?$/,
  },
  {
    name: "an invalid value of a flag",
    script: "exec wasp hook --swap-behavior Limited",
    error: '--swap-behavior: "Limited" is not one of NoSwap, LimitedSwap, UnlimitedSwap',
  },
  {
    name: "an empty state",
    script: "exec wasp hook < /dev/null",
    error: "OCI state: is empty",
    isNameless: true,
  },
  {
    name: "a missing root folder",
    script: "exec wasp hook --fsroot /nowhere",
    error: /^open \/nowhere\/.*\/config\.json: No such file or directory$/,
  },
  {
    name: "a truncated config.json",
    script:
      "head --bytes=200 config.json > /run/cut.json && mount --bind /run/cut.json config.json && exec wasp hook",
    error: /\/config\.json: is not JSON: /,
  },
  {
    name: "a process that has ended",
    // The highest PID of a 64-bit kernel is one less.
    script: "jq '.pid = 4194304' | wasp hook",
    error: "process 4194304 is gone: no /proc/4194304/cgroup",
  },
  {
    name: "a process in another cgroup",
    script: "jq '.pid = 1' | wasp hook",
    error: /^process 1 is not in kubepods-burstable-pod.*\.scope, as its config says, but in \/init\.scope$/,
  },
  {
    name: "an unreadable /proc/meminfo",
    script: "mount --bind /proc/1/mem /proc/meminfo && exec wasp hook",
    error: "read /proc/meminfo: Input/output error",
  },
  {
    name: "a read-only cgroup",
    script: "mount -o remount,bind,ro /sys/fs/cgroup && exec wasp hook",
    error: /^open \/sys\/fs\/cgroup\/.*\/memory\.swap\.max: Read-only file system$/,
  },
];

// Under crun, whose hook's mount namespace and cgroups are the harder ones: tests/runc has the like under runc.
describe("a container starts despite", () => {
  test.each(cases)("$name", async ({ script, error, isNameless = false }) => {
    const hooksFolder = await installScript(guest, script);
    const container = await startContainer(guest, "crun", { ...spec, hooksFolder });
    expect(effectiveLimit(container)).toBe(0);
    expect(container.log).toEqual([
      expect.objectContaining({ event: "hook-failed", error: expect.stringMatching(error) }),
    ]);
    expect(container.log[0]?.["id"]).toBe(isNameless ? undefined : container.id);
  });
});

test.each(runtimes)("under %s, a container does not start when its hook fails", async (runtime) => {
  const hooksFolder = await installScript(guest, "exit 1");
  const { code, stdout, stderr } = await runContainer(
    guest,
    runtime,
    { ...spec, hooksFolder },
    "echo started",
  );
  expect(stderr).toMatch(/error (running|executing) hook/);
  expect(stdout).toBe("");
  expect(code).toBe(126);
  expect(await hookLog(guest)).toEqual([]);
});
