import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { ROOT, wasp } from "../node/binary.ts";
import { hogSnapshots } from "../trace/hog.ts";
import { recordingOf } from "../trace/recordings.ts";

const folder = mkdtempSync(`${tmpdir()}/wasp-replay-`);
const recording = recordingOf(hogSnapshots());
const file = `${folder}/hog.jsonl`;
const busy = `${folder}/busy.yaml`;

beforeAll(() => {
  writeFileSync(file, recording);
  writeFileSync(`${file}.gz`, Bun.gzipSync(recording));
  writeFileSync(
    busy,
    `apiVersion: wasp.io/v1alpha1
kind: WaspConfiguration
evictionMode: DryRun
trafficWindowSeconds: 10
excludeNamespaces: [shop]
evictionThresholds:
  - name: busy
    allOf: [{ signal: swapInPagesPerSecond, operator: ">", value: 1000 }]
    graceSeconds: 5
    minClearSeconds: 10
`,
  );
});

afterAll(() => rmSync(folder, { recursive: true }));

const replay = (...args: string[]) => wasp(["trace", "replay", ...args]);

describe("a recording", () => {
  test("is replayed with the defaults, as a plot and a table", async () => {
    const { exitCode, stdout, stderr } = await replay(file);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const golden = await Bun.file(`${ROOT}/tests/golden/replay.txt`).text();
    const expected = golden.replace("hog.jsonl", file).replace(/^note.*\n/m, "");
    expect(stdout).toBe(expected);
  });

  test("is replayed alike when it is compressed, in any environment", async () => {
    const plain = await replay(file);
    const env = { SWAP_UTILIZATION_THRESHOLD_FACTOR: "0", VERBOSITY: "much" };
    const { exitCode, stdout } = await wasp(["trace", "replay", `${file}.gz`], "ignore", env);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(plain.stdout.replace(file, `${file}.gz`));
  });

  test("is replayed with a configuration file", async () => {
    const { exitCode, stdout } = await replay("--config", busy, file);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`decided by  ${busy}, with evictionMode Enforce instead of DryRun`);
    expect(stdout).toMatch(
      /^0:39 +\d+ s +hold relieving-kept +1 pod would help, but may not go: shop\/hog \(excluded-namespace\)$/m,
    );
    expect(stdout).not.toContain("evict shop");
  });

  test("is replayed with two configurations, side by side", async () => {
    const { exitCode, stdout } = await replay(file, "--compare", busy);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^first evicted +0:45 evict shop\/hog +never +≠$/m);
    expect(stdout).toMatch(/^0:45 +evict shop\/hog +hold relieving-kept +≠$/m);
  });

  test("is reported as one JSON document", async () => {
    const { exitCode, stdout } = await replay(file, "-o", "json", "--compare", busy);
    expect(exitCode).toBe(0);
    const document = JSON.parse(stdout);
    expect(document.recording).toMatchObject({ file, samples: 241, seconds: 240, pods: 2 });
    expect(document.replays).toMatchObject([
      {
        configuration: "defaults",
        evictionMode: "Off",
        thresholds: ["swap-harm", "swap-and-memory-used-up"],
      },
      { configuration: busy, evictionMode: "DryRun", thresholds: ["busy"] },
    ]);
    const [byDefault] = document.replays;
    expect(byDefault.observations).toBeUndefined();
    expect(byDefault.changes[0]).toEqual({ atSeconds: 45, threshold: "swap-harm", change: "met" });
    expect(byDefault.decisions[2]).toMatchObject({
      fromSeconds: 45,
      verdict: "evict",
      thresholds: ["swap-harm"],
      victim: {
        namespace: "shop",
        name: "hog",
        reason: expect.stringContaining("over its requests by 1.1 GiB"),
      },
      ranking: [{ name: "hog" }],
      why: expect.stringMatching(/^swap-harm by anonymous-refault: over its requests by /),
      cause: "anonymous-refault",
      harmedPods: [],
      relieving: [{ namespace: "shop", name: "hog" }],
    });
    expect(byDefault.decisions[1]).toMatchObject({
      reason: "grace-period",
      why: expect.stringContaining("not long enough yet"),
    });
  });

  test("has nothing in the JSON document that a terminal obeys", async () => {
    writeFileSync(`${folder}/c1.jsonl`, recording.replaceAll('"name":"hog"', '"name":"h\\u009b2Jog"'));
    const { stdout } = await replay(`${folder}/c1.jsonl`, "-o", "json");
    expect(stdout).not.toContain("\u009b");
    expect(JSON.parse(stdout).replays[0].decisions[2].victim.name).toBe("h\u009b2Jog");
  });

  test("is reported with all observations", async () => {
    const { stdout } = await replay(file, "--output=json", "--observations");
    const [{ observations }] = JSON.parse(stdout).replays;
    expect(observations).toHaveLength(241);
    expect(observations[50]).toMatchObject({
      atSeconds: 50,
      observation: { memoryPressure: 0.4, pressureCause: "anonymous-refault" },
      met: ["swap-harm"],
      isTainted: true,
    });
  });

  test("that is incomplete is replayed up to its end, and a pod with an odd name does no harm", async () => {
    const odd = recording.replaceAll('"name":"hog"', '"name":"h\\u001b[2Jog"');
    writeFileSync(`${folder}/odd.jsonl`, odd.slice(0, -20));
    const { exitCode, stdout, stderr } = await replay(`${folder}/odd.jsonl`);
    expect(exitCode).toBe(0);
    const note = "the file ends in the midst of line 243, after 3:59 of the recording: the rest is missing";
    expect(stdout).toContain(`note        ${note}\n`);
    expect(stderr).toContain(`${folder}/odd.jsonl: ${note}`);
    expect(stdout).toContain("evict shop/h\\u{1b}[2Jog");
    expect(stdout).not.toContain("\u001b");
  });
});

describe("a compressed recording", () => {
  const whole = Bun.gzipSync(recording);

  test.each([0.5, 0.9, 1 - 4 / whole.length])(
    "cut at %f of its size is replayed up to there",
    async (part) => {
      const cut = `${folder}/cut-${part}.jsonl.gz`;
      writeFileSync(cut, whole.subarray(0, Math.round(whole.length * part)));
      const { exitCode, stdout, stderr } = await replay(cut, "-o", "json");
      expect(exitCode).toBe(0);
      const { samples, notes } = JSON.parse(stdout).recording;
      const clock = `${Math.floor((samples - 1) / 60)}:${String((samples - 1) % 60).padStart(2, "0")}`;
      const note = `the file ends in the midst of its gzip data, after ${clock} of the recording: the rest is missing`;
      expect(notes).toEqual([note]);
      expect(stderr).toContain(`${cut}: ${note}`);
      expect(samples).toBeGreaterThan(10);
      expect(samples).toBeLessThanOrEqual(241);
      expect(samples === 241).toBe(part > 0.9);
    },
  );

  test("of several members, or padded with zeros, or of another name is replayed whole", async () => {
    const place = recording.length / 2;
    const members = [recording.slice(0, place), recording.slice(place)].map((half) => Bun.gzipSync(half));
    writeFileSync(`${folder}/members`, Buffer.concat([...members, Buffer.alloc(512)]));
    const { exitCode, stdout, stderr } = await replay(`${folder}/members`);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("241 samples");
  });
});

/** Returns bytes with the one at a part of their length, counted from their end if negative, changed. */
function damaged(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.with(index < 0 ? bytes.length + index : index, (bytes.at(index) ?? 0) ^ 0x55);
}

describe("an invalid recording", () => {
  const gzipped = Bun.gzipSync(recording);
  const none = (reason: string) =>
    `no recording of wasp: ${reason}; wasp trace record --output FILE makes one`;
  test.each<[string, string | Uint8Array, string]>([
    ["none.jsonl", "", none("it is empty")],
    ["none.jsonl.gz", Bun.gzipSync(""), none("it is empty")],
    ["host.name", "node-1\n", "no recording of wasp: line 1: not JSON: "],
    ["list.json", '{"kind":"PodList"}\n', none("line 1: not the header of a recording: trace: missing")],
    ["list.json.gz", Bun.gzipSync("[1]"), none("line 1: not the header of a recording: trace: missing")],
    ["binary", new Uint8Array(5000).fill(0x7f), "no recording of wasp: line 1: not JSON: "],
    ["escape.jsonl", "\u001b[2J\n", "no recording of wasp: line 1: not JSON: "],
    ["like.gz", "\u001f\u008bgarbage", "no recording of wasp: its gzip data are damaged: "],
    ["header.jsonl", recording.slice(0, recording.indexOf("\n") + 1), "it has no samples"],
    [
      "cut-early.jsonl",
      recording.slice(0, recording.indexOf("\n") + 50),
      "it has no samples: the file ends in",
    ],
    [
      "cut-early.jsonl.gz",
      gzipped.subarray(0, 20),
      "it has no samples: the file ends in the midst of its gzip",
    ],
    [
      "later.jsonl",
      recording.replace("trace/v1", "trace/v9"),
      'line 1: the format is "wasp.io/trace/v9", and',
    ],
    [
      "broken.jsonl",
      recording.replace('"swapFreeBytes":', '"swapFree":'),
      "line 3: not a sample: node.swapFreeBytes: ",
    ],
    ["crc.jsonl.gz", damaged(gzipped, -6), "its gzip data are damaged: incorrect data check"],
    ["tail.jsonl.gz", Buffer.concat([gzipped, Buffer.from("garbage")]), "its gzip data are damaged: "],
    ["joined.jsonl", recording + recording, "in line 244 another recording begins, started at 2026-"],
    [
      "joined.jsonl.gz",
      Buffer.concat([gzipped, gzipped]),
      "in line 244 another recording begins, started at 2026-",
    ],
  ])("is named in the error: %s", async (name, content, complaint) => {
    writeFileSync(`${folder}/${name}`, content);
    const { exitCode, stdout, stderr } = await replay(`${folder}/${name}`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(`${folder}/${name}: ${complaint}`);
    expect(stderr).not.toContain("\u001b[2J");
  });

  test("is a directory", async () => {
    const { exitCode, stderr } = await replay(folder);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${folder}: ${none("it is a directory")}`);
  });

  test("is a missing file", async () => {
    const { exitCode, stderr } = await replay("/nowhere/node.jsonl");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("/nowhere/node.jsonl: ENOENT");
  });
});

describe("the command line", () => {
  test.concurrent.each<[string[], string]>([
    [[], "the recording is missing: wasp trace replay FILE"],
    [["a.jsonl", "b.jsonl"], "unexpected argument b.jsonl: the flags are --config"],
    [["a.jsonl", "-o", "xml"], '--output: "xml" is not one of table, json'],
    [["a.jsonl", "-o"], "-o needs a value"],
    [["a.jsonl", "-x"], "unknown flag -x: "],
    [["a.jsonl", "--konfig=a"], "unknown flag --konfig: did you mean --config?"],
    [["a.jsonl", "--file=b.jsonl"], "unknown flag --file"],
    [["a.jsonl", "--compare=/nowhere.yaml"], "--config: cannot read /nowhere.yaml"],
  ])("%j is rejected", async (args, message) => {
    const { exitCode, stdout, stderr } = await replay(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});
