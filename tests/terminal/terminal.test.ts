import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { terminalOf } from "../../src/terminal/terminal.ts";

test("output is written at once, and is dropped silently without a reader", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wasp-terminal-"));
  const fd = openSync(join(folder, "log"), "w");
  const terminal = terminalOf({ fd });
  expect(terminal).toMatchObject({ isTerminal: false, columns: 80, rows: 24 });
  terminal.write("node1: running\n");
  expect(await readFile(join(folder, "log"), "utf8")).toBe("node1: running\n");
  closeSync(fd);
  terminal.write("node1: done in 1.0 s\n");
  await rm(folder, { recursive: true });
});

test("the size of a window is read each time", () => {
  const window = { fd: 1, isTTY: true, columns: 100, rows: 50 };
  const terminal = terminalOf(window);
  expect(terminal).toMatchObject({ isTerminal: true, columns: 100, rows: 50 });
  window.columns = 60;
  expect(terminal.columns).toBe(60);
});
