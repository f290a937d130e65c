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
    const { exitCode, stdout } = await replay(`${folder}/odd.jsonl`);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("note        the last line is incomplete, and is ignored\n");
    expect(stdout).toContain("evict shop/h\\u{1b}[2Jog");
    expect(stdout).not.toContain("\u001b");
  });
});

describe("an invalid recording", () => {
  test.each<[string, string | Uint8Array, string]>([
    ["none.jsonl", "", "the recording is empty: it must begin with a header"],
    ["header.jsonl", recording.slice(0, recording.indexOf("\n") + 1), "it has no samples"],
    ["other.jsonl", "hello\nworld\n", "line 1: not JSON: "],
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
    ["cut.jsonl.gz", Bun.gzipSync(recording).subarray(0, 1000), "unexpected end of file"],
  ])("is named in the error: %s", async (name, content, complaint) => {
    writeFileSync(`${folder}/${name}`, content);
    const { exitCode, stdout, stderr } = await replay(`${folder}/${name}`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(`${folder}/${name}: ${complaint}`);
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
