import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { watchConfigFile } from "../../src/host/watch-config.ts";

let folder = "";
let watched: Disposable | undefined;
const reported: string[] = [];
let wake = () => {};

beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/wasp-test-`);
  reported.length = 0;
});

afterEach(() => {
  watched?.[Symbol.dispose]();
  watched = undefined;
  jest.useRealTimers();
  rmSync(folder, { recursive: true });
});

function watchFile(path: string): void {
  watched = watchConfigFile(path, (text) => {
    reported.push(text);
    wake();
  });
}

/** Waits for a report of a text; ends with the test's own timeout. */
async function until(text: string): Promise<void> {
  while (reported.at(-1) !== text) await new Promise<void>((resolve) => (wake = resolve));
}

/** Writes a text as the kubelet does for a ConfigMap (kubernetes pkg/volume/util/atomic_writer.go). */
function publish(version: string, text: string): void {
  const previous = readdirSync(folder).filter((name) => /^\.\.v/.test(name));
  mkdirSync(`${folder}/..${version}`);
  writeFileSync(`${folder}/..${version}/config.yaml`, text);
  symlinkSync(`..${version}`, `${folder}/..data_tmp`);
  renameSync(`${folder}/..data_tmp`, `${folder}/..data`);
  for (const name of previous) rmSync(`${folder}/${name}`, { recursive: true });
}

describe("a ConfigMap", () => {
  test("each update is reported, once", async () => {
    publish("v1", "one");
    symlinkSync("..data/config.yaml", `${folder}/config.yaml`);
    watchFile(`${folder}/config.yaml`);
    for (const version of ["v2", "v3", "v4"]) {
      publish(version, version);
      await until(version);
    }
    expect(reported).toEqual(["v2", "v3", "v4"]);
  });

  test("an update of another file is not reported", async () => {
    publish("v1", "one");
    symlinkSync("..data/config.yaml", `${folder}/config.yaml`);
    watchFile(`${folder}/config.yaml`);
    publish("v2", "one");
    publish("v3", "three");
    await until("three");
    expect(reported).toEqual(["three"]);
  });
});

describe("a file", () => {
  let path = "";

  beforeEach(() => {
    path = `${folder}/config.yaml`;
    writeFileSync(path, "one");
    watchFile(path);
  });

  test("that is rewritten in place, again and again", async () => {
    for (let round = 0; round < 5; round++) {
      writeFileSync(path, `${round}`);
      await until(`${round}`);
    }
    expect(reported).toEqual(["0", "1", "2", "3", "4"]);
  });

  test("that is rewritten many times in a row is reported with its last text", async () => {
    for (let round = 0; round < 200; round++) writeFileSync(path, `${round}`);
    await until("199");
    expect(reported).toEqual(["199"]);
  });

  test("that an editor replaces by another file", async () => {
    writeFileSync(`${path}.new`, "two");
    renameSync(`${path}.new`, path);
    await until("two");
    writeFileSync(path, "three");
    await until("three");
    expect(reported).toEqual(["two", "three"]);
  });

  test("that is missing for a while", async () => {
    rmSync(path);
    // Once the other file's text is reported, the loss of this one has been noticed.
    writeFileSync(`${folder}/other.yaml`, "other");
    using _ = watchConfigFile(`${folder}/other.yaml`, () => wake());
    writeFileSync(`${folder}/other.yaml`, "another");
    await new Promise<void>((resolve) => (wake = resolve));
    expect(reported).toEqual([]);
    writeFileSync(path, "back");
    await until("back");
    expect(reported).toEqual(["back"]);
  });
});

test("a change without an event is noticed within a minute", () => {
  jest.useFakeTimers();
  mkdirSync(`${folder}/elsewhere`);
  writeFileSync(`${folder}/elsewhere/config.yaml`, "one");
  mkdirSync(`${folder}/watched`);
  symlinkSync("../elsewhere/config.yaml", `${folder}/watched/config.yaml`);
  watchFile(`${folder}/watched/config.yaml`);
  writeFileSync(`${folder}/elsewhere/config.yaml`, "two");
  jest.advanceTimersByTime(60_000);
  expect(reported).toEqual(["two"]);
});

test("a directory that is created later is watched from then on", async () => {
  jest.useFakeTimers();
  watchFile(`${folder}/later/config.yaml`);
  mkdirSync(`${folder}/later`);
  jest.advanceTimersByTime(60_000);
  jest.useRealTimers();
  writeFileSync(`${folder}/later/config.yaml`, "one");
  await until("one");
});

test("disposing of a watch leaves nothing behind", () => {
  const watches = () =>
    readdirSync("/proc/self/fdinfo").flatMap((fd) => {
      try {
        return readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").match(/^inotify wd:/gm) ?? [];
      } catch {
        return [];
      }
    }).length;
  const before = watches();
  watchFile(`${folder}/config.yaml`);
  expect(watches()).toBe(before + 1);
  watched?.[Symbol.dispose]();
  expect(watches()).toBe(before);
});
