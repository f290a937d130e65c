import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { readLockHolder, readPluginLockHolder, takeNodeLock, takePluginLock } from "../../src/host/lock.ts";

// Directory in place of the cgroups' root, with the real kernel's list of locks.
let root = "";
beforeEach(() => {
  root = mkdtempSync(`${tmpdir()}/wasp-lock-`);
  mkdirSync(`${root}/sys/fs/cgroup`, { recursive: true });
  symlinkSync("/proc", `${root}/proc`);
});
afterEach(() => rmSync(root, { recursive: true }));

test("the holder of an agent's lock is found", () => {
  expect(readLockHolder(root)).toBeUndefined();
  const lock = takeNodeLock(root);
  expect(readLockHolder(root)).toBe(process.pid);
  expect(takeNodeLock(root)).toBeUndefined();
  lock?.[Symbol.dispose]();
  expect(readLockHolder(root)).toBeUndefined();
});

test("the lock of the runtime's plugin is another one, and does not exist without a hierarchy", () => {
  expect(readPluginLockHolder(root)).toBeUndefined();
  writeFileSync(`${root}/sys/fs/cgroup/cgroup.controllers`, "memory\n");
  expect(readPluginLockHolder(root)).toBeUndefined();
  using agent = takeNodeLock(root);
  using plugin = takePluginLock(root);
  expect([agent, plugin]).not.toContain(undefined);
  expect(takePluginLock(root)).toBeUndefined();
  expect(readPluginLockHolder(root)).toBe(process.pid);
});

test("looking up the holder does not prevent others from acquiring the lock", () => {
  readLockHolder(root);
  using lock = takeNodeLock(root);
  expect(lock).toBeDefined();
});

test("without cgroups the error names the reason", () => {
  rmSync(`${root}/sys`, { recursive: true });
  expect(() => readLockHolder(root)).toThrow(`${root}/sys/fs/cgroup`);
});
