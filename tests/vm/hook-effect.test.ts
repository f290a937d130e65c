/** Effect of the hook's swap limit on a running container, and its persistence. */
import { describe, expect, test } from "bun:test";
import { documentedCommands } from "../documented-commands.ts";
import {
  effectiveLimit,
  hostCgroups,
  parseLevels,
  podmanRun,
  type Runtime,
  readLevels,
  runContainer,
  runtimes,
} from "./container.ts";
import { quote } from "./guest.ts";
import { startNode } from "./node.ts";
import { oomScoreAdjOf32MiB, podSlices, swapShares } from "./pods.ts";

const guest = await startNode();
const shareOfSwap = await swapShares(guest);

// For a request just below 62 MiB, the most that a limit of 64 MiB allows: about 30 MiB of the node's swap.
const largeOomScoreAdj = 970;
const burstable = { cgroupParent: podSlices.Burstable, oomScoreAdj: largeOomScoreAdj, memory: "64m" };
const guaranteed = { cgroupParent: podSlices.Guaranteed, oomScoreAdj: -997, memory: "64m" };
const killed = 128 + 9;

/**
 * Script that uses 80 MiB, then 160 MiB of memory, and prints both exit codes and the peak of swap.
 *
 * The data is random, because the kernel does not swap pages of zeros. The OOM killer ends dd, the largest process.
 */
const hog = `
dd if=/dev/urandom of=/dev/null bs=80M count=1; echo $?
dd if=/dev/urandom of=/dev/null bs=160M count=1; echo $?
cat ${hostCgroups}$(cut -d: -f3- /proc/self/cgroup)/memory.swap.peak`;

describe.each(runtimes)("under %s, a container", (runtime) => {
  test("swaps up to its limit and is killed beyond it", async () => {
    const { moderate, excessive, swapPeakBytes } = await runHog(runtime, burstable);
    const limitBytes = shareOfSwap(largeOomScoreAdj);
    expect({ moderate, excessive }).toEqual({ moderate: 0, excessive: killed });
    expect(swapPeakBytes).toBeLessThanOrEqual(limitBytes);
    expect(swapPeakBytes).toBeGreaterThanOrEqual(0.9 * limitBytes);
  });

  test("that is Guaranteed does not swap", async () => {
    expect(await runHog(runtime, guaranteed)).toEqual({
      moderate: killed,
      excessive: killed,
      swapPeakBytes: 0,
    });
  });

  test("keeps its limit when systemd reloads, and its monitor has no limit", async () => {
    const spec = { cgroupParent: podSlices.Burstable, oomScoreAdj: oomScoreAdjOf32MiB, memory: "64m" };
    const id = (await guest.must(podmanRun(runtime, spec, ["--detach", "--rm"], "exec sleep 600"))).trim();
    try {
      expect(await limitInside(id)).toBe(shareOfSwap(oomScoreAdjOf32MiB));
      await guest.must("systemctl daemon-reload");
      expect(await limitInside(id)).toBe(shareOfSwap(oomScoreAdjOf32MiB));
      expect(await swapMaxOfMonitor(id)).toBe("max\n");
    } finally {
      await guest.must(`podman rm --force --time 0 ${id}`);
    }
  });
});

const forKernelLog = documentedCommands()
  .map(({ words }) => words)
  .filter(
    ([program, ...flags]) => program === "journalctl" && (flags.includes("-k") || flags.includes("--dmesg")),
  )
  .map((words) => words.map(quote).join(" "));

test.each(forKernelLog)("%s shows the hook's line of a container", async (command) => {
  const spec = { cgroupParent: podSlices.Burstable, oomScoreAdj: oomScoreAdjOf32MiB, memory: "64m" };
  const id = (await guest.must(podmanRun("runc", spec, ["--detach", "--rm"], "exec sleep 600"))).trim();
  try {
    await guest.must("journalctl --sync");
    expect(await guest.must(`${command} --no-pager`)).toContain(`hook: swap-limit-set id=${id} `);
  } finally {
    await guest.must(`podman rm --force --time 0 ${id}`);
  }
});

async function runHog(runtime: Runtime, spec: typeof burstable | typeof guaranteed) {
  const { code, stdout, stderr } = await runContainer(guest, runtime, spec, hog);
  if (code !== 0) throw new Error(`the container ended with ${code}: ${stderr}`);
  const [moderate, excessive, swapPeakBytes] = stdout.trim().split("\n").map(Number);
  return { moderate, excessive, swapPeakBytes };
}

async function limitInside(id: string): Promise<number> {
  const levels = parseLevels(await guest.must(`podman exec ${id} sh -c ${quote(readLevels)}`));
  return effectiveLimit({ own: levels, above: [] });
}

async function swapMaxOfMonitor(id: string): Promise<string> {
  return await guest.must(`cat $(find /sys/fs/cgroup -name libpod-conmon-${id}.scope)/memory.swap.max`);
}
