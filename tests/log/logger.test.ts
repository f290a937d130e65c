import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Fields, Level } from "../../src/log/events.ts";
import { LOG_FORMATS, Logger } from "../../src/log/logger.ts";

const TIME = /^(?:\{"time":")?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;

function written(format: (typeof LOG_FORMATS)[number], verbosity: number, say: (logger: Logger) => void) {
  const lines: string[] = [];
  say(new Logger({ format, verbosity, write: (line) => lines.push(line) }));
  return lines;
}

function lineOf(format: (typeof LOG_FORMATS)[number], fields: Fields, level: Level = "info"): string {
  const [line = ""] = written(format, 0, (logger) => logger.event(level, "swap-limit-set", fields));
  expect(line).toMatch(TIME);
  return line.replace(TIME, "");
}

describe("a line for the eye", () => {
  test.each<[string, Fields, string]>([
    ["names and figures", { pod: "a", limitBytes: 4096 }, "pod=a limitBytes=4096"],
    ["no limit", { limitBytes: Number.POSITIVE_INFINITY }, "limitBytes=max"],
    ["yes and no", { dryRun: true, ready: false }, "dryRun=true ready=false"],
    ["leaves out what is not known", { pod: undefined, container: "c" }, "container=c"],
    ["a path of some length", { error: `/${"x".repeat(3000)}` }, `error=/${"x".repeat(3000)}`],
    ["no second line", { pod: "a\nb" }, 'pod="a\\nb"'],
    ["nothing for a terminal", { pod: "\u009b31m" }, 'pod="\\u009b31m"'],
  ])("%s", (_, fields, shown) => {
    expect(lineOf("Human", fields)).toBe(` info    swap-limit-set ${shown}`);
  });

  test.each<Level>(["info", "warning", "error"])("of level %s", (level) => {
    expect(lineOf("Human", {}, level)).toBe(` ${level.padEnd(7)} swap-limit-set`);
  });
});

describe("a line for a program", () => {
  test.each<[string, Fields, Record<string, unknown>]>([
    ["names and figures", { pod: "a", limitBytes: 4096 }, { pod: "a", limitBytes: 4096 }],
    ["no limit", { limitBytes: Number.POSITIVE_INFINITY }, { limitBytes: "max" }],
    ["yes and no", { dryRun: true, ready: false }, { dryRun: true, ready: false }],
    ["leaves out what is not known", { pod: undefined, container: "c" }, { container: "c" }],
    ["what is not ASCII", { error: "höher\n\u009b😀" }, { error: "höher\n\u009b😀" }],
  ])("%s", (_, fields, shown) => {
    const [line = ""] = written("Json", 0, (logger) => logger.event("error", "swap-limit-failed", fields));
    expect(line).toMatch(TIME);
    const { time, ...rest } = JSON.parse(line);
    expect(rest).toEqual({ level: "error", event: "swap-limit-failed", ...shown });
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
    expect(Object.keys(JSON.parse(line)).slice(0, 3)).toEqual(["time", "level", "event"]);
  });
});

test.each(LOG_FORMATS)("%s: any event is one line of printable ASCII, and no runtime cuts it", (format) => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/);
  const value = fc.oneof(fc.string({ unit: "binary", maxLength: 100 }), fc.double(), fc.boolean());
  fc.assert(
    fc.property(fc.dictionary(name, value), (fields) => {
      const line = lineOf(format, fields);
      expect(line).toMatch(/^[\x20-\x7e]*$/);
      expect(line.length).toBeLessThan(15_500);
    }),
  );
  expect(lineOf(format, { error: "x".repeat(1_000_000) }).length).toBeLessThan(15_500);
});

test.each<[verbosity: number, events: string[]]>([
  [0, ["swap-limit-set"]],
  [3, ["swap-limit-set"]],
  [4, ["swap-limit-kept", "swap-limit-set"]],
  [9, ["swap-limit-kept", "swap-limit-set"]],
])("at verbosity %i", (verbosity, events) => {
  const say = (logger: Logger) => {
    logger.event("debug", "swap-limit-kept", {});
    logger.event("info", "swap-limit-set", {});
  };
  const eventsOf = (lines: string[]) => lines.map((line) => JSON.parse(line).event);
  expect(eventsOf(written("Json", verbosity, say))).toEqual(events);
  const changed = written("Json", 9 - verbosity, (logger) => {
    logger.setVerbosity(verbosity);
    say(logger);
  });
  expect(eventsOf(changed)).toEqual(events);
});
