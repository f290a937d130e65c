import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readMemoryEvents } from "../../src/host/memory-events.ts";
import { FakeNode } from "../node/fake-node.ts";

const DIRECTORY = "/sys/fs/cgroup/pod";
const ZERO = "low 7\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n";

let node: FakeNode;
beforeEach(() => {
  node = new FakeNode(2);
});
afterEach(() => node[Symbol.dispose]());

function eventsOf(files: Readonly<Record<string, string>>): ReturnType<typeof readMemoryEvents> {
  for (const [name, text] of Object.entries(files)) node.write(`${DIRECTORY}/${name}`, text);
  return readMemoryEvents(node.root + DIRECTORY);
}

describe("memory events", () => {
  test("below a cgroup, and of its own limits", () => {
    const files = {
      "memory.events": "low 0\nhigh 12\nmax 34\noom 5\noom_kill 6\n",
      "memory.events.local": "low 0\nhigh 10\nmax 0\noom 0\noom_kill 0\n",
    };
    expect(eventsOf(files)).toEqual({ high: 12, max: 34, oom: 5, local: { high: 10, max: 0, oom: 0 } });
  });

  test("without any, where the local ones are not read", () => {
    const none = { high: 0, max: 0, oom: 0 };
    expect(eventsOf({ "memory.events": ZERO })).toEqual({ ...none, local: none });
  });

  test("without the local ones are undefined, as it is not known whose limit was met", () => {
    expect(eventsOf({ "memory.events": "high 1\nmax 0\noom 0\n" })).toBeUndefined();
  });

  test("of a cgroup that is gone are undefined", () => {
    expect(eventsOf({})).toBeUndefined();
  });
});
