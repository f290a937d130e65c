import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { $ } from "bun";
import { LineWriter } from "../../src/log/line-writer.ts";

let folder = "";
let pipe = -1;

beforeEach(async () => {
  folder = mkdtempSync(`${tmpdir()}/wasp-pipe-`);
  await $`mkfifo ${folder}/pipe`;
  pipe = openSync(`${folder}/pipe`, constants.O_RDWR | constants.O_NONBLOCK);
});

afterEach(() => {
  closeSync(pipe);
  rmSync(folder, { recursive: true });
});

function drain(): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(65_536);
    try {
      chunks.push(chunk.subarray(0, readSync(pipe, chunk)));
    } catch {
      return Buffer.concat(chunks).toString();
    }
  }
}

test("lines come out as they went in", () => {
  const writer = new LineWriter(pipe);
  writer.write("one");
  writer.write("zwölf");
  expect(drain()).toBe("one\nzwölf\n");
});

test.each([1000, 9000])(
  "a full pipe loses whole lines of %i characters, and no more than it must",
  (length) => {
    const writer = new LineWriter(pipe);
    const line = (index: number) => `${index} ${"x".repeat(length)}`;
    for (let index = 0; index < 100; index++) writer.write(line(index));
    const before = drain();
    writer.write("after");
    const lines = (before + drain()).split("\n");
    expect(lines.pop()).toBe("");
    expect(lines.pop()).toBe("after");
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThan(100);
    expect(lines).toEqual(lines.map((_, index) => line(index)));
  },
);

test("nobody at the other end is no reason to fail", async () => {
  const write = openSync(`${folder}/pipe`, constants.O_WRONLY);
  const writer = new LineWriter(write);
  closeSync(pipe);
  for (let index = 0; index < 3; index++) expect(() => writer.write("x")).not.toThrow();
  closeSync(write);
  pipe = openSync(`${folder}/pipe`, constants.O_RDWR | constants.O_NONBLOCK);
});
