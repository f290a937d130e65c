/** Eviction on a real node on which it is hard: with a slow API server, and with busy processors. */
import { expect, test } from "bun:test";
import type { FakeApiServer } from "../node/fake-api-server.ts";
import { patience } from "../patience.ts";
import { CrowdedNode, PATIENCE_SECONDS } from "./crowded-node.ts";
import { Load } from "./load.ts";
import { startNode } from "./node.ts";
import { courseOf, startRecording, stopRecording } from "./pressure-recording.ts";

const guest = await startNode();

const SLOW_SECONDS = [25, 10, 18, 13, 22];
const REQUESTED_SECONDS = 15;
const thrash = (roomMib: number) => [`grow:${roomMib + 150}:60`, `touch:${roomMib + 150}:1e6:0`];

test("a hog's eviction is requested in time of an API server that answers each request after 10 to 25 s", async () => {
  const requestedAt: number[] = [];
  const slowDown = ({ objects }: FakeApiServer) => {
    let served = 0;
    const slow = () => 1000 * (SLOW_SECONDS[served++ % SLOW_SECONDS.length] ?? 0);
    objects.delayMilliseconds = slow();
    objects.beforeServing = ({ line }) => {
      objects.delayMilliseconds = slow();
      if (line.endsWith("/eviction")) requestedAt.push(Date.now());
    };
  };
  await using node = await CrowdedNode.start(guest, {
    ...{ hogSwapLimit: "max", harmSteps: thrash, onServer: slowDown },
  });
  const aheadMilliseconds = await clockAhead();
  await startRecording(guest);
  await node.beginHarm();
  await node.agent.event("eviction-decided", undefined, PATIENCE_SECONDS);
  await node.agent.event("pod-evicted", undefined, PATIENCE_SECONDS);
  const course = courseOf(await stopRecording(guest));
  const decision = await node.expectOnlyHogEvicted();
  const decidedAt = Date.parse(String(decision["time"])) - aheadMilliseconds;
  const afterSeconds = ((requestedAt[0] ?? Number.NaN) - decidedAt) / 1000;
  const harmSeconds = (decidedAt + aheadMilliseconds - (await node.hog.harmMilliseconds())) / 1000;
  console.log(
    `decided ${harmSeconds.toFixed(1)} s after the harm began, requested ${afterSeconds.toFixed(1)} s later`,
    course,
  );
  expect(requestedAt).toHaveLength(1);
  expect(afterSeconds).toBeLessThan(patience(REQUESTED_SECONDS) / 1000);
  // The kubelet would not have evicted before.
  expect(course.swapUsedAtEviction).toBeUndefined();
});

test("a hog is evicted, and nobody else, while other pods keep every processor busy", async () => {
  await using node = await CrowdedNode.start(guest, { hogSwapLimit: "max", harmSteps: thrash });
  const processors = Number(await guest.must("nproc"));
  for (let number = 1; number <= processors; number++) {
    const burner = { name: `burner-${number}`, requestBytes: 64 * 2 ** 20 };
    const load = await Load.start(guest, node.cluster, "runc", {
      ...burner,
      steps: ["grow:1:100", "await:burn", "touch:1:1e6:0"],
    });
    await load.untilAwaits("burn", PATIENCE_SECONDS);
  }
  await node.hog.send("burn");
  const before = await processorTicks();
  await node.beginHarm();
  await node.agent.event("eviction-decided", undefined, PATIENCE_SECONDS);
  const after = await processorTicks();
  const idleShare = (after.idle - before.idle) / (after.all - before.all);
  const decision = await node.expectOnlyHogEvicted();
  const harmSeconds = (Date.parse(String(decision["time"])) - (await node.hog.harmMilliseconds())) / 1000;
  console.log(
    `decided ${harmSeconds.toFixed(1)} s after the harm began; the processors idle ${(100 * idleShare).toFixed(1)} %`,
    `of the time; all pods together stall ${decision["stall"]}`,
  );
  expect(idleShare).toBeLessThan(0.1);
});

/** Returns the milliseconds by which the guest's clock is ahead of this host's. */
async function clockAhead(): Promise<number> {
  const before = Date.now();
  const guestMilliseconds = 1000 * Number(await guest.must("echo $EPOCHREALTIME"));
  return guestMilliseconds - (before + Date.now()) / 2;
}

/** Reads the time of all processors, and of it the idle part, waits for disks included, both in ticks. */
async function processorTicks(): Promise<{ readonly all: number; readonly idle: number }> {
  const [, ...ticks] = (await guest.must("head --lines=1 /proc/stat")).trim().split(/ +/).map(Number);
  const [, , , idle = 0, waiting = 0] = ticks;
  // User time includes that of guests, which the kernel lists again at the end.
  return { all: ticks.slice(0, 8).reduce((sum, one) => sum + one, 0), idle: idle + waiting };
}
