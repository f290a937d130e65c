/** The hook's time and memory with states and configs that a tenant, or a broken runtime, may make large. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { WASP } from "../node/binary.ts";
import { FakeNode } from "../node/fake-node.ts";
import { recordedContainer } from "../node/recorded.ts";
import { patience } from "../patience.ts";

const MI = 2 ** 20;
const MOST_BYTES = 4 * MI;
const MOST_VALUES = 64_000;
const CONTAINER = recordedContainer("burstable-runc");

type Json = Record<string, unknown>;

/** Adds an annotation, as large as it may be in all. */
function annotated(json: Json, filler: string): string {
  const text = JSON.stringify({ ...json, annotations: { ...(json["annotations"] as Json), filler } });
  expect(text.length).toBeLessThan(MOST_BYTES);
  return text;
}

/** Adds a field with a value that no serializer would write. */
function withField(json: Json, value: string): string {
  return JSON.stringify({ ...json, x: 0 }).replace(/"x":0/, () => `"x":${value}`);
}

/** Shape of a large text: it is made of a state or a config. */
interface Shape {
  readonly name: string;
  readonly make: (json: Json) => string;
  /** Reason for which the hook refuses it; undefined where it is read as any other. */
  readonly error?: string;
}

const TOO_LARGE = `more than the ${MOST_BYTES} bytes allowed`;
const members = (length: number, make: (index: number) => string) =>
  Array.from({ length }, (_, i) => make(i));

const SHAPES: readonly Shape[] = [
  { name: "14 MiB of brackets", make: () => "[".repeat(14 * MI), error: TOO_LARGE },
  { name: "3.9 MiB of brackets", make: () => "[".repeat(3.9 * MI), error: "holds more than 100 levels" },
  { name: "3.9 MiB of objects", make: () => '{"":'.repeat(0.97 * MI), error: "holds more than 100 levels" },
  {
    name: "3.9 MiB of lists",
    make: (json) => withField(json, `[${"[],".repeat(1.2 * MI)}[]]`),
    error: `holds more than ${MOST_VALUES} values`,
  },
  {
    name: "3.9 MiB of numbers",
    make: (json) => withField(json, `[${"0,".repeat(1.9 * MI)}0]`),
    error: `holds more than ${MOST_VALUES} values`,
  },
  {
    name: "many strings",
    make: (json) => withField(json, JSON.stringify(members(63_000, (i) => `${i}`.padStart(30)))),
  },
  { name: "many names", make: (json) => withField(json, `{${members(60_000, (i) => `"k${i}":1`).join()}}`) },
  { name: "lists in all levels", make: (json) => withField(json, "[".repeat(98) + "]".repeat(98)) },
  { name: "a long string", make: (json) => annotated(json, "y".repeat(3.9 * MI)) },
  {
    name: "a long string that is not ASCII",
    make: (json) => annotated(json, `\u0416${"y".repeat(3.9 * MI)}`),
  },
  {
    name: "a long string of control characters",
    make: (json) => annotated(json, "\u0001".repeat(0.64 * MI)),
  },
  { name: "a long string of quotes", make: (json) => annotated(json, '"'.repeat(1.9 * MI)) },
  { name: "a long string of backslashes", make: (json) => annotated(json, "\\".repeat(1.9 * MI)) },
  { name: "a long number", make: (json) => withField(json, "1".repeat(3.9 * MI)) },
  { name: "a long word", make: () => "a".repeat(3.9 * MI), error: "is not JSON" },
  { name: "blanks", make: (json) => " ".repeat(3.9 * MI) + JSON.stringify(json) },
];

const plain: Shape = { name: "a common text", make: (json) => JSON.stringify(json) };
const wide = SHAPES.find(({ name }) => name.endsWith("not ASCII")) ?? plain;

/** Runs the hook, and measures its processor time in seconds and its peak in MiB. */
function runHook(node: FakeNode, input: string) {
  const args = ["hook", "--fsroot", node.root, "--log-file", node.log];
  // GNU time reports the hook's own peak: that of spawn starts at this process's.
  const run = Bun.spawnSync(["/usr/bin/time", "--format=%M", WASP, ...args], {
    stdin: Bun.file(input),
    env: {},
  });
  return {
    exitCode: run.exitCode,
    // Not the time that passes: what else runs on this host is none of the hook's.
    seconds: Number(run.resourceUsage.cpuTime.total) / 1e6,
    peakMebibytes: Number(run.stderr.toString()) / 1024,
  };
}

describe.each(SHAPES)("$name", (shape) => {
  test.each([
    { where: "in the state", of: { state: shape, config: plain } },
    { where: "in config.json", of: { state: plain, config: shape } },
    { where: "in both", of: { state: shape, config: shape } },
    { where: "in the state beside a wide config.json", of: { state: shape, config: wide } },
    { where: "in config.json beside a wide state", of: { state: wide, config: shape } },
  ])("$where: less than 2 s of a processor and 64 MiB, and a line", ({ of }) => {
    using node = new FakeNode(2);
    node.add({ ...CONTAINER, config: of.config.make(JSON.parse(CONTAINER.config ?? "")) });
    const input = `${node.root}/input`;
    writeFileSync(input, of.state.make(JSON.parse(CONTAINER.state)));

    const { exitCode, seconds, peakMebibytes } = runHook(node, input);

    expect(exitCode).toBe(0);
    expect(seconds).toBeLessThan(patience(2) / 1000);
    expect(peakMebibytes).toBeLessThan(64);
    const error = of.state.error ?? of.config.error;
    expect(node.logged).toEqual([
      error === undefined
        ? expect.stringMatching(/^swap-limit-set id=[0-9a-f]{64} namespace=test /)
        : expect.stringMatching(new RegExp(`^hook-failed .*${error}`)),
    ]);
  });
});

test("a standard input without an end is given up, however fast it is", () => {
  using node = new FakeNode(2);
  const { exitCode, seconds } = runHook(node, "/dev/zero");
  expect(exitCode).toBe(0);
  expect(seconds).toBeLessThan(patience(2) / 1000);
  expect(node.logged).toEqual([expect.stringContaining(TOO_LARGE)]);
});
