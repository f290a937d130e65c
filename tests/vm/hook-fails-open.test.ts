/** Whatever is wrong with wasp's hook or around it, the container starts, and one line says why it has no more swap. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  type ContainerSpec,
  effectiveLimit,
  hookLog,
  installScript,
  runContainer,
  runtimes,
  startContainer,
} from "./container.ts";
import { sharedGuest } from "./node.ts";
import { oomScoreAdjOf32MiB, podSlices } from "./pods.ts";

setDefaultTimeout(60_000);

interface Case {
  name: string;
  /** What runs as the hook, with the bundle as its folder and mounts of its own. */
  script: string;
  error: string | RegExp;
  /** Whether nothing tells the container's id. */
  isNameless?: boolean;
}

const guest = await sharedGuest();

const spec: ContainerSpec = {
  cgroupParent: podSlices.Burstable,
  oomScoreAdj: oomScoreAdjOf32MiB,
  memory: "64m",
};

const cases: Case[] = [
  {
    name: "a flag that there is not",
    script: "exec wasp hook --dry-rum",
    error: /^unknown flag --dry-rum: did you mean --dry-run\?$/,
  },
  {
    name: "a flag with a wrong value",
    script: "exec wasp hook --swap-behavior Limited",
    error: '--swap-behavior: "Limited" is not one of NoSwap, LimitedSwap, UnlimitedSwap',
  },
  {
    name: "a state that never came",
    script: "exec wasp hook < /dev/null",
    error: "OCI state: is empty",
    isNameless: true,
  },
  {
    name: "a root that is not there",
    script: "exec wasp hook --fsroot /nowhere",
    error: /^open \/nowhere\/.*\/config\.json: No such file or directory$/,
  },
  {
    name: "a config.json cut short",
    script:
      "head --bytes=200 config.json > /run/cut.json && mount --bind /run/cut.json config.json && exec wasp hook",
    error: /\/config\.json: is not JSON: /,
  },
  {
    name: "a process that is gone",
    // The highest pid of a 64-bit kernel is one less.
    script: "jq '.pid = 4194304' | wasp hook",
    error: "process 4194304 is gone: no /proc/4194304/cgroup",
  },
  {
    name: "a process in another cgroup",
    script: "jq '.pid = 1' | wasp hook",
    error: /^process 1 is not in kubepods-burstable-pod.*\.scope, as its config says, but in \/init\.scope$/,
  },
  {
    name: "a /proc/meminfo that cannot be read",
    script: "mount --bind /proc/1/mem /proc/meminfo && exec wasp hook",
    error: "read /proc/meminfo: Input/output error",
  },
  {
    name: "a cgroup that cannot be written to",
    script: "mount -o remount,bind,ro /sys/fs/cgroup && exec wasp hook",
    error: /^open \/sys\/fs\/cgroup\/.*\/memory\.swap\.max: Read-only file system$/,
  },
];

describe.each(runtimes)("under %s, a container starts in spite of", (runtime) => {
  test.each(cases)("$name", async ({ script, error, isNameless = false }) => {
    const hooksFolder = await installScript(guest, script);
    const container = await startContainer(guest, runtime, { ...spec, hooksFolder });
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
