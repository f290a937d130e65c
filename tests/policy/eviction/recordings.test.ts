import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { ContainerSample, Snapshot } from "../../../src/policy/eviction/snapshot.ts";
import { readRecording } from "../../../src/trace/recording-file.ts";
import { evictionsIn, replayOf } from "../../bench/rules.ts";
import { judge, parseTruth, type Truth } from "../../bench/truth.ts";
import { ROOT } from "../../node/binary.ts";

// The agent looks once in 70 s: its second look after the harm began is the first that shows a stall.
const STARVED = "agent-starved-70-s";
const IN_EXCLUDED_NAMESPACE = "hog-in-kube-system";

const RECORDINGS = ["decisions", "traces"].flatMap((folder) =>
  readdirSync(`${ROOT}/tests/fixtures/${folder}`)
    .filter((file) => file.endsWith(".jsonl.gz"))
    .map((file) => `${folder}/${file.replace(".jsonl.gz", "")}`),
);

/** Reads a recording, and its truth. */
async function read(recording: string): Promise<{ snapshots: readonly Snapshot[]; truth: Truth }> {
  const stem = `${ROOT}/tests/fixtures/${recording}`;
  const snapshots: Snapshot[] = [];
  await readRecording(`${stem}.jsonl.gz`, (snapshot) => snapshots.push(snapshot));
  return { snapshots, truth: parseTruth(await Bun.file(`${stem}.truth.yaml`).text()) };
}

/** Returns a sample of a container that fails where its pressure or its events are read: the agent does not read them. */
function usageAlone(sample: ContainerSample): ContainerSample {
  const get = () => {
    throw new Error("a decision reads the pressure or the events of a container");
  };
  return Object.defineProperties({ ...sample }, { memoryPressure: { get }, events: { get } });
}

test("all recordings are there", () => {
  expect(RECORDINGS.filter((name) => name.startsWith("decisions/"))).toHaveLength(17);
  expect(RECORDINGS.filter((name) => name.startsWith("traces/")).length).toBeGreaterThanOrEqual(16);
});

describe("by default, on a recording", () => {
  test.each(RECORDINGS.filter((name) => !name.endsWith(IN_EXCLUDED_NAMESPACE)))(
    "%s: the right pod is evicted within 15 s of harm, and nobody without harm",
    async (recording) => {
      const { snapshots, truth } = await read(recording);
      const [first] = evictionsIn(replayOf(snapshots));
      if (!truth.harmful) return expect(first).toBeUndefined();
      if (!recording.endsWith(STARVED))
        return expect(judge(truth, first)).toMatchObject({ outcome: "detected", victim: "right" });
      const looks = snapshots.map(({ atSeconds }) => atSeconds).filter((at) => at >= truth.fromSeconds);
      expect((looks[1] ?? 0) - (looks[0] ?? 0)).toBe(70);
      expect(first?.atSeconds).toBe(looks[1] as number);
      expect(judge(truth, first).victim).toBe("right");
    },
  );

  test(`${IN_EXCLUDED_NAMESPACE}: nobody is evicted in its place`, async () => {
    const { snapshots } = await read(`decisions/${IN_EXCLUDED_NAMESPACE}`);
    const replay = replayOf(snapshots);
    expect(evictionsIn(replay)).toEqual([]);
    expect(replay.phases.at(-1)?.decision).toEqual({ verdict: "hold", reason: "relieving-kept" });
  });

  test("decisions need neither pressure nor events of containers", async () => {
    const { snapshots } = await read("decisions/recovery-after-the-hog-is-gone");
    const alone = snapshots.map((one) => ({ ...one, containers: one.containers.map(usageAlone) }));
    expect(evictionsIn(replayOf(alone))).toEqual(evictionsIn(replayOf(snapshots)));
  });

  test("with a recovery, nobody follows the pod that was the cause", async () => {
    const { snapshots } = await read("decisions/recovery-after-the-hog-is-gone");
    expect(evictionsIn(replayOf(snapshots)).map(({ victim }) => victim)).toEqual(["shop/hog"]);
  });

  test.each(RECORDINGS)(
    "%s: no more than two pods are evicted, whatever the recording goes on with",
    async (name) => {
      const { snapshots } = await read(name);
      expect(evictionsIn(replayOf(snapshots)).length).toBeLessThanOrEqual(2);
    },
  );
});
