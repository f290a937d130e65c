import { expect, test } from "bun:test";
import { $ } from "bun";
import { readPageBytes } from "../../src/host/libc.ts";

test("the page size is the kernel's", async () => {
  expect(readPageBytes()).toBe(Number(await $`getconf PAGESIZE`.text()));
});
