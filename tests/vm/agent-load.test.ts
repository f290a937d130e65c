/** The agent on a node that thrashes, or that changes faster than the kernel tells. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { GuestAgent } from "./guest-agent.ts";
import { sharedGuest } from "./node.ts";
import { NodePods, noHooks, onlyEvents, type PodContainer, untilHolds, untilLimitIs } from "./node-pods.ts";

setDefaultTimeout(120_000);

const guest = await sharedGuest();
const spec = { requestBytes: 40_000_001, memory: "64m", hooksFolder: noHooks };
const measuredSeconds = 15;

let pods: NodePods;
let agent: GuestAgent;
let container: PodContainer;

beforeAll(async () => {
  await guest.must("systemctl start kubepods.slice");
  pods = await NodePods.start(guest);
  agent = await GuestAgent.start(guest, [...pods.flags, ...onlyEvents]);
  container = await pods.runAndTell("crun", spec);
  await pods.untilExact(container);
});

afterAll(async () => {
  await agent?.[Symbol.asyncDispose]();
  await pods?.[Symbol.asyncDispose]();
});

test("its metrics are as Prometheus wants them, with the pressure of node and pods", async () => {
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

test("a container that thrashes costs it next to nothing, and its limit is watched all the same", async () => {
  const quiet = await shareOfProcessor();
  // More than the memory limit, less than what may be swapped besides: it is swapped out and in over and over.
  const large = { ...spec, requestBytes: 200_000_000 };
  const script = `${untilLimitIs(await pods.entitlementOf(large))}
    exec dd if=/dev/urandom of=/dev/null bs=100M`;
  const hog = await pods.runAndTell("crun", { ...large, script });
  try {
    await pods.untilExact(hog);
    const before = await swappedOutPages();
    const thrashing = await shareOfProcessor();
    const swapped = (await swappedOutPages()) - before;
    console.log(
      `the agent takes of a core ${percent(quiet)}, and ${percent(thrashing)} while ${swapped} pages are swapped out`,
    );
    expect(swapped).toBeGreaterThan(10_000);
    expect(thrashing).toBeLessThan(0.2);
    // More, not less: with less it would be killed for want of memory where the agent is not there at once.
    await guest.must(`for level in ${hog.own.join(" ")}; do echo max > $level/memory.swap.max; done`);
    await pods.untilExact(hog);
  } finally {
    await pods.remove(hog);
  }
});

async function shareOfProcessor(): Promise<number> {
  const before = await agent.processorSeconds();
  await guest.must(`sleep ${measuredSeconds}`);
  return ((await agent.processorSeconds()) - before) / measuredSeconds;
}

async function swappedOutPages(): Promise<number> {
  return Number((await guest.must("cat /proc/vmstat")).match(/^pswpout (\d+)$/m)?.[1]);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

describe("when the kernel tells less than happened", () => {
  beforeAll(async () => {
    // It counts for watches that begin from now on.
    await agent[Symbol.asyncDispose]();
    await guest.must("sysctl --quiet fs.inotify.max_queued_events=16");
    agent = await GuestAgent.start(guest, [...pods.flags, ...onlyEvents]);
  });

  afterAll(() => guest.must("sysctl --quiet fs.inotify.max_queued_events=16384"));

  test("its limits are right all the same", async () => {
    const exactBytes = await pods.untilExact(container);
    const pod = container.own.at(-1)?.replace(/\/[^/]*$/, "");
    // Many at once while the agent cannot read: more than the queue takes.
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
