import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { readLockHolder, takeNodeLock } from "../../src/host/lock.ts";

// A folder that stands for the cgroups' root, with the real kernel's list of locks.
let root = "";
beforeEach(() => {
  root = mkdtempSync(`${tmpdir()}/wasp-lock-`);
  mkdirSync(`${root}/sys/fs/cgroup`, { recursive: true });
  symlinkSync("/proc", `${root}/proc`);
});
afterEach(() => rmSync(root, { recursive: true }));

test("the lock of a node's agent tells who holds it", () => {
  expect(readLockHolder(root)).toBeUndefined();
  const lock = takeNodeLock(root);
  expect(readLockHolder(root)).toBe(process.pid);
  expect(takeNodeLock(root)).toBeUndefined();
  lock?.[Symbol.dispose]();
  expect(readLockHolder(root)).toBeUndefined();
});

test("looking who holds it does not keep another from taking it", () => {
  readLockHolder(root);
  using lock = takeNodeLock(root);
  expect(lock).toBeDefined();
});

test("where there are no cgroups, the reason is told", () => {
  rmSync(`${root}/sys`, { recursive: true });
  expect(() => readLockHolder(root)).toThrow(`${root}/sys/fs/cgroup`);
});
