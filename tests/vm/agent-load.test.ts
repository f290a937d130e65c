/** The agent on a node that thrashes, or whose changes overflow the kernel's notification queue. */
import { beforeAll, describe, expect, test } from "bun:test";
import { GuestAgent } from "./guest-agent.ts";
import { startNode } from "./node.ts";
import { NodePods, noHooks, onlyEvents, type PodContainer, untilHolds, untilLimitIs } from "./node-pods.ts";

const guest = await startNode();
const spec = { requestBytes: 40_000_001, memory: "64m", hooksFolder: noHooks };
const MEASURED_SECONDS = 15;

let pods: NodePods;
let agent: GuestAgent;
let container: PodContainer;

beforeAll(async () => {
  await guest.must("systemctl start kubepods.slice");
  pods = await NodePods.start(guest);
  agent = await GuestAgent.start(guest, [...pods.flags, ...onlyEvents]);
  container = await pods.runListed("crun", spec);
  await pods.untilExact(container);
});

test("promtool accepts its metrics, which contain the pressure of node and pods", async () => {
  const metrics = await agent.metrics();
  expect(await guest.run("promtool check metrics", { stdin: metrics })).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
  for (const scope of ["node", "kubepods"]) {
    for (const kind of ["some", "full"]) {
      const labels = `scope="${scope}",resource="memory",kind="${kind}"`;
      expect(metrics).toMatch(new RegExp(`^wasp_pressure_stall_seconds_total{${labels}} [0-9.e-]+$`, "m"));
    }
  }
});

test("a thrashing container costs little processor time, and its limit is still restored", async () => {
  const quiet = await shareOfProcessor();
  // More than the memory limit, but less than memory limit and swap limit: it is swapped out and in continuously.
  const large = { ...spec, requestBytes: 200_000_000 };
  const script = `${untilLimitIs(await pods.entitlementOf(large))}
    exec dd if=/dev/urandom of=/dev/null bs=100M`;
  const hog = await pods.runListed("crun", { ...large, script });
  try {
    await pods.untilExact(hog);
    const before = await swappedOutPages();
    const thrashing = await shareOfProcessor();
    const swapped = (await swappedOutPages()) - before;
    console.log(
      `the agent uses ${percent(quiet)} of a core, and ${percent(thrashing)} while ${swapped} pages are swapped out`,
    );
    expect(swapped).toBeGreaterThan(10_000);
    expect(thrashing).toBeLessThan(0.2);
    // Raised, because with a lower limit the OOM killer could be faster than the agent.
    await guest.must(`for level in ${hog.own.join(" ")}; do echo max > $level/memory.swap.max; done`);
    await pods.untilExact(hog);
  } finally {
    await pods.remove(hog);
  }
});

async function shareOfProcessor(): Promise<number> {
  const before = await agent.processorSeconds();
  await guest.must(`sleep ${MEASURED_SECONDS}`);
  return ((await agent.processorSeconds()) - before) / MEASURED_SECONDS;
}

async function swappedOutPages(): Promise<number> {
  return Number((await guest.must("cat /proc/vmstat")).match(/^pswpout (\d+)$/m)?.[1]);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

describe("when the kernel drops notifications", () => {
  beforeAll(async () => {
    // The setting applies to new watches.
    await agent[Symbol.asyncDispose]();
    await guest.must("sysctl --quiet fs.inotify.max_queued_events=16");
    agent = await GuestAgent.start(guest, [...pods.flags, ...onlyEvents]);
  });

  test("limits are still restored", async () => {
    const exactBytes = await pods.untilExact(container);
    const pod = container.own.at(-1)?.replace(/\/[^/]*$/, "");
    // More events than the queue takes, while the agent does not read.
    await guest.must(`systemctl kill --signal=STOP wasp-agent.service
      for number in $(seq 100); do mkdir ${pod}/crio-$(printf %064x $number).scope; done
      for level in ${container.own.join(" ")}; do echo 1M > $level/memory.swap.max; done
      systemctl kill --signal=CONT wasp-agent.service`);
    await untilHolds(
      guest,
      container.own.map((level) => `${level}/memory.swap.max`),
      container.own.map(() => String(exactBytes)),
    );
    expect((await agent.metrics()).match(/^wasp_containers{state="held"} (\d+)$/m)?.[1]).toBe("100");
    await guest.must(`rmdir ${pod}/crio-*.scope`);
  });
});
