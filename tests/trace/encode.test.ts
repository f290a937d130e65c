import { expect, test } from "bun:test";
import { recordingOf, SHORT } from "./recordings.ts";

test("a recording is readable text with the changes of each second", async () => {
  const golden = `${import.meta.dir}/../golden/trace.jsonl`;
  expect(recordingOf(SHORT)).toBe(await Bun.file(golden).text());
});
