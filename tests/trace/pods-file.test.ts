import { expect, test } from "bun:test";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { PodsFile } from "../../src/trace/pods-file.ts";
import { FakeNode } from "../node/fake-node.ts";
import { podUidOf } from "../node/kubepods-tree.ts";
import { podListJson } from "../node/pods.ts";

const listOf = (...names: string[]) =>
  podListJson(names.map((name, index) => ({ uid: podUidOf(index), name, containers: [] })));

test("pods are those of the file, or of its last valid version", () => {
  using node = new FakeNode(2);
  const path = `${node.root}/pods.json`;
  const replace = (text: string) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  replace(listOf("web"));
  const problems: string[] = [];
  const file = new PodsFile(path, (error) => problems.push(error.message));
  const names = () => file.pods().map(({ name }) => name);
  expect(names()).toEqual(["web"]);
  expect(file.pods()).toBe(file.pods());

  replace(listOf("web", "db"));
  expect(names()).toEqual(["web", "db"]);
  expect(problems).toEqual([]);

  replace("{");
  expect(names()).toEqual(["web", "db"]);
  expect(names()).toEqual(["web", "db"]);
  expect(problems).toEqual([expect.stringMatching(/^\S+pods\.json: not JSON: /)]);

  replace(JSON.stringify({ kind: "PodList", items: [{}, ...JSON.parse(listOf("db")).items] }));
  expect(names()).toEqual(["db"]);
  expect(problems.slice(1)).toEqual([`${path}: pod 0 of the list: metadata: missing`]);

  rmSync(path);
  expect(names()).toEqual(["db"]);
  expect(problems.at(-1)).toContain(path);
});

test.each([
  ["{}", "not a PodList: kind: missing"],
  ["", "not JSON"],
])("a file with %j is rejected at the start", (text, message) => {
  using node = new FakeNode(2);
  node.write("/pods.json", text);
  const path = `${node.root}/pods.json`;
  expect(() => new PodsFile(path, () => {})).toThrow(`${path}: ${message}`);
});
