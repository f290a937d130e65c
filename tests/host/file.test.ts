import { expect, test } from "bun:test";
import { readRecord } from "../../src/host/file.ts";
import { FakeNode } from "../node/fake-node.ts";

test.each([0, 1, 4096, 16_383, 16_384, 16_385, 70_000])("a record of %i bytes is read whole", (bytes) => {
  using node = new FakeNode(2);
  const text = "0123456789abcdef".repeat(bytes / 16 + 1).slice(0, bytes);
  node.write("/record", text);
  expect(readRecord(`${node.root}/record`)).toBe(text);
});
