import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { TRACE_VERSION } from "../../src/trace/format.ts";
import { decodeRecording, HEADER, recordingOf, SHORT } from "./recordings.ts";
import { anySnapshots, containerWith, snapshotWith } from "./snapshots.ts";

const byId = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  containers: snapshot.containers.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  podSamples: snapshot.podSamples.toSorted((a, b) => (a.podUid < b.podUid ? -1 : 1)),
});

/** Returns the time of the last whole line that has one; 0 without any. */
function lastAt(text: string): number {
  const [, ...lines] = text.slice(0, text.lastIndexOf("\n")).split("\n");
  return lines.length === 0 ? 0 : JSON.parse(lines.at(-1) ?? "").at;
}

describe("a recording", () => {
  test("has the recorded snapshots, and its header", async () => {
    const { headers, notes, snapshots } = await decodeRecording(recordingOf(SHORT));
    expect(headers).toEqual([{ trace: TRACE_VERSION, ...HEADER }]);
    expect(notes).toEqual([]);
    expect(snapshots).toEqual(
      SHORT.map((snapshot) => ({ ...snapshot, atSeconds: Number(snapshot.atSeconds.toFixed(3)) })),
    );
  });

  test("of any snapshots decodes to them, in pieces of any size", async () => {
    await fc.assert(
      fc.asyncProperty(anySnapshots, fc.integer({ min: 1, max: 5000 }), async (recorded, pieceBytes) => {
        const { snapshots, notes } = await decodeRecording(recordingOf(recorded), pieceBytes);
        expect(snapshots.map(byId)).toEqual(recorded.map(byId));
        expect(notes).toEqual([]);
      }),
    );
  });

  test("has the page size of the recorded node", async () => {
    const text = recordingOf(SHORT).replace('"pageBytes":4096', '"pageBytes":65536');
    const { snapshots } = await decodeRecording(text);
    expect(new Set(snapshots.map(({ pageBytes }) => pageBytes))).toEqual(new Set([65_536]));
  });

  test("keeps the order of new containers", async () => {
    const containers = ["c", "a", "b"].map((id) => containerWith({ id }));
    const { snapshots } = await decodeRecording(
      recordingOf([snapshotWith({ containers }), snapshotWith({ containers })]),
    );
    expect(snapshots.map((snapshot) => snapshot.containers.map(({ id }) => id))).toEqual([
      ["c", "a", "b"],
      ["c", "a", "b"],
    ]);
  });

  test("of an older wasp has no figures of pods' own cgroups, nor the later ones of containers", async () => {
    const later = ["podSamples", "gonePods", "directScans", "kswapdScans"];
    const ofContainer = ["fileBytes", "shmemBytes", "swapCachedBytes", "memoryPressure", "events"];
    const without = (value: object, names: readonly string[]) =>
      Object.fromEntries(Object.entries(value).filter(([key]) => !names.includes(key)));
    const older = recordingOf(SHORT)
      .trimEnd()
      .split("\n")
      .map((line) => {
        const { node, containers, ...rest } = JSON.parse(line);
        const changed = containers?.map((container: object) => without(container, ofContainer));
        return JSON.stringify({
          ...without(rest, later),
          node: node && without(node, later),
          containers: changed,
        });
      });
    const { snapshots } = await decodeRecording(older.join("\n"));
    expect(snapshots).toEqual(
      SHORT.map((snapshot) => ({
        ...snapshot,
        atSeconds: Number(snapshot.atSeconds.toFixed(3)),
        node: { ...snapshot.node, directScans: undefined, kswapdScans: undefined },
        containers: snapshot.containers.map((container) => ({
          ...container,
          ...{ fileBytes: undefined, shmemBytes: undefined, swapCachedBytes: undefined },
          ...{ memoryPressure: undefined, events: undefined },
        })),
        podSamples: [],
      })),
    );
  });

  test("that is cut anywhere has the snapshots before, and a note", async () => {
    const text = recordingOf(SHORT);
    const headerLength = text.indexOf("\n") + 1;
    const whole = await decodeRecording(text);
    for (let length = headerLength; length < text.length; length++) {
      const { snapshots, notes } = await decodeRecording(text.slice(0, length));
      expect(snapshots).toEqual(whole.snapshots.slice(0, snapshots.length));
      // The missing part of a line may be only its end.
      const isWholeLine = text[length - 1] === "\n" || text[length] === "\n";
      const line = text.slice(0, length).split("\n").length;
      const ends = `the file ends in the midst of line ${line}, after 0:0${Math.floor(lastAt(text.slice(0, length)))} of`;
      expect(notes).toEqual(isWholeLine ? [] : [`${ends} the recording: the rest is missing`]);
    }
  });

  test("that a file system filled up with zeros is cut there", async () => {
    const text = recordingOf(SHORT);
    const { snapshots, notes } = await decodeRecording(text + "\0".repeat(4096));
    expect(snapshots).toEqual((await decodeRecording(text)).snapshots);
    expect(notes).toEqual([
      `the file ends in the midst of line ${text.split("\n").length}, after 0:03 of the recording: the rest is missing`,
    ]);
  });

  test("of a later wasp is read as far as its keys are known", async () => {
    const later = recordingOf(SHORT)
      .split("\n")
      .map((line) =>
        line.replace(/^\{/, '{"more":{"at":-1},').replace('"swapBytes"', '"zswapBytes":-1,"swapBytes"'),
      )
      .join("\n");
    expect((await decodeRecording(later)).snapshots).toEqual(
      (await decodeRecording(recordingOf(SHORT))).snapshots,
    );
  });
});

describe("an invalid recording", () => {
  const LATER = "2026-01-05T11:30:00.000Z";
  const [header = "", first = "", pods = "", second = "", third = ""] = recordingOf(SHORT).split("\n");
  const lines = (...texts: string[]) => texts.join("\n");
  const changed = (line: string, from: string, to: string) => {
    expect(line).toContain(from);
    return line.replace(from, to);
  };

  test.each<[string, string, string | RegExp]>([
    ["nothing", "", "it is empty"],
    ["garbage", "\0\x01\xff", /^line 1: not JSON: /],
    [
      "half a header",
      header.slice(0, 30),
      "line 1: the recording is cut off within its header, so nothing can be replayed",
    ],
    ["other JSON", "[1]", "line 1: not the header of a recording: trace: missing"],
    ["a recording without its header", first, "line 1: not the header of a recording: a later line"],
    [
      "a header of another program",
      '{"trace":"strace/v1"}',
      "line 1: not the header of a recording: trace: another format",
    ],
    [
      "another version",
      changed(header, "trace/v1", "trace/v2"),
      'line 1: the format is "wasp.io/trace/v2", and this version of wasp reads only wasp.io/trace/v1',
    ],
    [
      "a header without a page size",
      changed(header, '"pageBytes":4096', '"pageBytes":0'),
      "line 1: not the header of a recording: pageBytes: 0 is not the size of a page",
    ],
    [
      "a header with an invalid time",
      changed(header, HEADER.startedAt, "yesterday"),
      'line 1: not the header of a recording: startedAt: "yesterday" is not a time in RFC 3339',
    ],
    ["garbage in the middle", lines(header, first, "{half", pods), /^line 3: not JSON: /],
    ["garbage at the end", lines(header, first, "garbage"), /^line 3: not JSON: /],
    ["a line of another kind", lines(header, "{}"), "line 2: not a sample: at: missing"],
    ["a line that is no object", lines(header, "null"), "line 2: not a sample: null is not Object"],
    [
      "a negative value",
      lines(header, changed(first, '"swapInPages":7', '"swapInPages":-7')),
      "line 2: not a sample: node.swapInPages: -7 is not a figure of zero or more",
    ],
    [
      "an infinite value",
      lines(header, changed(first, '"swapInPages":7', '"swapInPages":1e999')),
      "line 2: not a sample: node.swapInPages: Infinity is not a figure of zero or more",
    ],
    [
      "a value that is text",
      lines(header, changed(first, '"swapInPages":7', '"swapInPages":"7"')),
      'line 2: not a sample: node.swapInPages: "7" is not number',
    ],
    [
      "a negative limit",
      lines(header, first, pods, changed(second, '"memoryHighBytes":"max"', '"memoryHighBytes":-1')),
      "line 4: not a sample: kubepods.memoryHighBytes: -1 is not a figure of zero or more",
    ],
    [
      "a time that goes back",
      lines(header, second, first),
      "line 3: the time goes back from 1 s to 0.002 s, which it never does in a recording: the lines are in the wrong " +
        "order, or parts of recordings were joined; replay each recording by itself",
    ],
    [
      "a time that goes back by a millisecond",
      lines(header, first, changed(first, '"at":0.002', '"at":0.001')),
      /^line 3: the time goes back from 0.002 s to 0.001 s, /,
    ],
    [
      "another recording behind it",
      lines(header, first, pods, second, changed(header, HEADER.startedAt, LATER), first),
      `in line 5 another recording begins, started at ${LATER}; the one before it, started at `,
    ],
    [
      "another recording behind a cut one",
      lines(header, first, pods, second.slice(0, 50) + changed(header, HEADER.startedAt, LATER), first),
      `within line 4 another recording begins, started at ${LATER}; the one before it, started at ${HEADER.startedAt}, ` +
        "ends after 0:01: joined recordings cannot be replayed as one; split the file before its header, and replay " +
        "each by itself",
    ],
    [
      "another recording below a cut one",
      lines(header, first, pods, second.slice(0, 50), changed(header, HEADER.startedAt, LATER), first),
      `in line 5 another recording begins, started at ${LATER}; the one before it, started at ${HEADER.startedAt}, ` +
        "ends after 0:01: joined recordings cannot be replayed as one; split the file before line 5, and replay each by itself",
    ],
    [
      "another recording of a later version",
      lines(header, first, changed(header, "trace/v1", "trace/v9")),
      /^in line 3 another recording begins, /,
    ],
    [
      "an update of an unknown container",
      lines(header, first, pods, third),
      "line 4: not the first sample of container c1: podUid: missing",
    ],
    [
      "an update of an unknown pod's cgroup",
      lines(header, first, pods, third.replaceAll(/"containers":.*?"podSamples"/g, '"podSamples"')),
      "line 4: not the first sample of pod p1: memoryBytes: missing",
    ],
    [
      "events that are no figures",
      lines(header, first, pods, second, changed(third, '"local":{"high":0', '"local":{"high":-1')),
      "line 5: not a sample: containers.0.events.local.high: -1 is not a figure of zero or more",
    ],
    [
      "a pod without a name",
      lines(header, changed(pods, '"name":"db-0"', '"name":null')),
      "line 2: not a line of pods: pods.0.name: null is not string",
    ],
  ])("%s", async (_, text, message) => {
    await expect(decodeRecording(text)).rejects.toThrow(message);
  });

  test("an endless line is not buffered", async () => {
    const endless = `${header}\n${first}\n${"x".repeat(17 * 2 ** 20)}`;
    await expect(decodeRecording(endless, 2 ** 20)).rejects.toThrow("line 3 exceeds 16777216 bytes");
  });

  test("any text is rejected, or is a recording", async () => {
    const bent = fc.tuple(fc.nat(), fc.string()).map(([at, text]) => {
      const whole = recordingOf(SHORT);
      const place = at % whole.length;
      return whole.slice(0, place) + text + whole.slice(place + text.length);
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), bent), async (text) => {
        const outcome = await decodeRecording(text).catch((error: Error) => error.message);
        if (typeof outcome === "string")
          expect(outcome).toMatch(/^(line \d+: |it is empty$|(with)?in line \d+ another recording begins)/);
        else expect(outcome.headers).toHaveLength(1);
      }),
    );
  });
});
